# Values for tests/survival.rs, and lung.csv.  Rscript survival.R   (R 4.2.2, survival 3.5-3)
# lung: Loprinzi et al. 1994, J Clin Oncol 12:601-607, as in survival::lung; the rows with ECOG score
# and Karnofsky score by physician known. Times are rounded up to weeks here, to have many ties.
suppressMessages(library(survival))
show <- function(name, x) cat(sprintf("%-28s %s\n", name, paste(sprintf("%.12g", as.numeric(x)), collapse = " ")))
d <- with(lung, data.frame(week = ceiling(time / 7), day = time, died = status - 1, age = age, male = as.integer(sex == 1),
                           ecog = ph.ecog, karno = ph.karno))
d <- d[complete.cases(d), ]
write.csv(d, "lung.csv", row.names = FALSE, quote = FALSE)
show("n events", c(nrow(d), sum(d$died)))
for (t in c("day", "week")) {
  y <- Surv(d[[t]], d$died)
  for (x in c("age", "ecog")) {
    h <- concordance(y ~ d[[x]], reverse = TRUE)
    show(paste("harrell", t, x), c(h$concordance, sqrt(h$var), h$count[1:3]))
    u <- concordance(y ~ d[[x]], reverse = TRUE, timewt = "n/G2")
    show(paste("uno", t, x), c(u$concordance, sqrt(u$var), u$count[1:3]))
    tau <- if (t == "day") 500 else 71
    u <- concordance(y ~ d[[x]], reverse = TRUE, timewt = "n/G2", ymax = tau)
    show(paste("uno tau", t, x), c(u$concordance, sqrt(u$var)))
  }
  a <- coxph(y ~ age + male, d); b <- coxph(y ~ ecog, d)
  j <- concordance(a, b)
  z <- (j$concordance[1] - j$concordance[2]) / sqrt(sum(j$var * c(1, -1, -1, 1)))
  show(paste("cox a coefficients", t), coef(a))
  show(paste("joint", t), c(j$concordance, j$var[1, 1], j$var[1, 2], j$var[2, 2], z, 2 * pnorm(-abs(z))))
  k <- survfit(y ~ 1)
  at <- if (t == "day") c(100, 365, 800) else c(14, 52, 100)
  s <- summary(k, times = at)
  show(paste("km", t), s$surv); show(paste("km se", t), s$std.err)
  show(paste("km low", t), s$lower); show(paste("km high", t), s$upper); show(paste("km n.risk", t), s$n.risk)
  show(paste("median", t), quantile(k, .5)$quantile)
}
# Calibration at one year of a risk that rises with age: O/E with Greenwood's error, and by sex as two groups.
risk <- plogis((d$age - 62) / 20 + .3); y <- Surv(d$day, d$died); s <- summary(survfit(y ~ 1), times = 365)
oe <- (1 - s$surv) / mean(risk)
show("observed/expected", c(oe, oe * exp(c(-1, 1) * qnorm(.975) * s$std.err / (1 - s$surv))))
two <- ifelse(d$male == 1, .7, .5)
for (v in c(.5, .7)) { s <- summary(survfit(y[two == v] ~ 1), times = 365); show(paste("observed at", v), c(1 - s$surv, 1 - s$upper, 1 - s$lower, sum(two == v))) }
# Folds: rows dealt out in turn to 5 folds; mean of the folds' C and the variance of that mean.
fold <- (seq_len(nrow(d)) - 1) %% 5
cs <- sapply(0:4, function(k) { i <- fold == k; h <- concordance(y[i] ~ d$age[i], reverse = TRUE); c(h$concordance, h$var) })
show("by fold age", c(mean(cs[1, ]), sqrt(sum(cs[2, ]) / 25)))
