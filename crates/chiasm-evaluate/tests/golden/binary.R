# Values for tests/binary.rs.  Rscript binary.R   (R 4.2.2, pROC 1.18.0, rms 6.5-0)
suppressMessages({library(pROC); library(rms)}); data(aSAH)
show <- function(name, x) cat(sprintf("%-28s %s\n", name, paste(sprintf("%.12g", as.numeric(x)), collapse = " ")))
y <- as.integer(aSAH$outcome == "Poor")
roc_of <- function(s) roc(y, s, quiet = TRUE, levels = c(0, 1), direction = "<")
w <- roc_of(as.integer(aSAH$wfns)); s <- roc_of(aSAH$s100b); k <- roc_of(aSAH$ndka)
show("auc wfns s100b ndka", c(auc(w), auc(s), auc(k)))
show("ci wfns", ci.auc(w)); show("ci s100b", ci.auc(s)); show("ci ndka", ci.auc(k))
show("var s100b", var(s)); show("cov wfns s100b", cov(w, s))
for (p in list(list("wfns-s100b", w, s), list("s100b-ndka", s, k), list("wfns-ndka", w, k))) {
  t <- roc.test(p[[2]], p[[3]], method = "delong")
  show(paste("delong", p[[1]]), c(t$statistic, t$p.value, t$conf.int))
}
show("youden s100b", coords(s, "best", ret = c("threshold", "sensitivity", "specificity"), transpose = TRUE))
show("youden ndka", coords(k, "best", ret = c("threshold", "sensitivity", "specificity"), transpose = TRUE))
call <- aSAH$s100b >= 0.22
show("counts tp fp tn fn", c(sum(call & y), sum(call & !y), sum(!call & !y), sum(!call & y)))
wilson <- function(x, n) { t <- prop.test(x, n, correct = FALSE); c(t$estimate, t$conf.int) }
show("sensitivity", wilson(sum(call & y), sum(y))); show("specificity", wilson(sum(!call & !y), sum(!y)))
show("ppv", wilson(sum(call & y), sum(call))); show("npv", wilson(sum(!call & !y), sum(!call)))
show("wilson 0/10", wilson(0, 10)); show("wilson 10/10", wilson(10, 10)); show("wilson 1/7", wilson(1, 7))
f <- glm(y ~ s100b + age, data = aSAH, family = binomial, epsilon = 1e-14)
show("glm coefficients", coef(f))
p <- plogis(predict(f) * 0.7 + 0.2)
v <- val.prob(p, y, pl = FALSE)
show("val.prob Int Slope C Brier", v[c("Intercept", "Slope", "C (ROC)", "Brier")])
l <- qlogis(p)
r <- glm(y ~ l, family = binomial, epsilon = 1e-14)
# vcov(glm) takes the weights from before its last step: intervals 1.6e-8 to 4.4e-8 off here; so the information
# is written out at the optimum. lrm.fit's and glm's own are printed beside it.
X <- cbind(1, l); m <- fitted(r); se <- sqrt(diag(solve(crossprod(X, X * (m * (1 - m))))))
show("se of glm, of lrm.fit", c(sqrt(diag(vcov(r))), sqrt(diag(lrm.fit(l, y, tol = 1e-14, eps = 1e-14)$var))))
show("recalibration se", se)
show("wald intercept", coef(r)[1] + c(-1, 1) * qnorm(.975) * se[1])
show("wald slope", coef(r)[2] + c(-1, 1) * qnorm(.975) * se[2])
o <- glm(y ~ offset(l), family = binomial, epsilon = 1e-14); m <- fitted(o)
show("in the large", c(coef(o), coef(o) + c(-1, 1) * qnorm(.975) / sqrt(sum(m * (1 - m)))))
show("log loss", -mean(y * log(p) + (1 - y) * log(1 - p)))
nb <- function(t) { a <- p >= t; sum(a & y) / 113 - sum(a & !y) / 113 * t / (1 - t) }
t <- c(.1, .2, .35, .5); show("net benefit", sapply(t, nb)); show("treat all", mean(y) - mean(1 - y) * t / (1 - t))
pv <- c(.01, .04, .03, .005, .5, .04); show("holm", p.adjust(pv, "holm"))
show("mcnemar 3 10", binom.test(3, 13)$p.value)
show("spearman s100b age", cor(aSAH$s100b, aSAH$age, method = "spearman"))
suppressMessages(library(survival))
cc <- concordance(age ~ s100b, data = aSAH); show("concordance age s100b", c(cc$concordance, sqrt(cc$var)))
d <- c(.02, .05, -.01, .03, .04, .06, -.02, .01, .03, .02); kk <- 10; rho <- .25
se <- sqrt((1 / kk + rho) * var(d)); tt <- mean(d) / se   # Nadeau & Bengio 2003, written out
show("nadeau-bengio", c(mean(d), se, tt, 2 * pt(-abs(tt), kk - 1), mean(d) + c(-1, 1) * qt(.975, kk - 1) * se))
b <- c(2, 4, 3, 1, 2); show("qt .975 df 1 4 49", qt(.975, c(1, 4, 49)))
