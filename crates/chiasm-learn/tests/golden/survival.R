# Values that crates/chiasm-learn/tests/golden_linear.rs checks ridge regression against.
# Run in this folder: Rscript survival.R   (Debian's R with r-cran-survival, r-cran-glmnet)
#
# Data: survival::veteran, the Veterans' Administration lung cancer trial (137 men, many tied times),
# D Kalbfleisch and RL Prentice (1980), The Statistical Analysis of Failure Time Data, Wiley; and MASS-free
# survival::lung's complete rows are not needed. Written to veteran.csv, bundled with R under LGPL >= 2.
suppressMessages({library(survival); library(glmnet)})
options(digits = 17)
v <- survival::veteran
d <- data.frame(time = v$time, status = v$status, trt = v$trt - 1, karno = v$karno, diagtime = v$diagtime,
                age = v$age, prior = v$prior / 10, cell = as.integer(v$celltype) - 1)
write.csv(d, "veteran.csv", row.names = FALSE)
x <- as.matrix(d[, c("trt", "karno", "diagtime", "age", "prior")])
z <- scale(x)                       # standardised with n - 1
w <- 1 + (seq_len(nrow(d)) %% 3) / 2
tight <- coxph.control(eps = 1e-13, iter.max = 100)
out <- list()
put <- function(name, value) cat(name, ",", paste(format(value, digits = 17, trim = TRUE), collapse = ";"), "\n", sep = "")
sink("survival.csv")
cat("name,values\n")
put("versions", paste(R.version.string, "survival", packageVersion("survival"), "glmnet", packageVersion("glmnet")))
m <- coxph(Surv(time, status) ~ x, data = d, ties = "efron", control = tight)
put("cox", coef(m)); put("cox_loglik", m$loglik[2]); put("cox_null", m$loglik[1])
m <- coxph(Surv(time, status) ~ x, data = d, weights = w, ties = "efron", control = tight)
put("cox_weighted", coef(m)); put("cox_weighted_loglik", m$loglik[2])
m <- coxph(Surv(time, status) ~ ridge(z, theta = 7, scale = FALSE), data = d, ties = "efron",
           control = coxph.control(eps = 1e-13, iter.max = 100, outer.max = 50, toler.inf = 1e-12))
put("cox_ridge", coef(m))
put("null_residual", residuals(coxph(Surv(time, status) ~ 1, data = d, ties = "efron"), type = "martingale"))
y <- as.integer(d$time > 100)
m <- glm(y ~ x, family = binomial, control = list(epsilon = 1e-15, maxit = 100))
put("logistic", coef(m)); put("logistic_loglik", as.numeric(logLik(m)))
m <- glm(y ~ x, family = quasibinomial, weights = w, control = list(epsilon = 1e-15, maxit = 100))
put("logistic_weighted", coef(m))
n <- nrow(d)
g <- glmnet(z, y, family = "binomial", alpha = 0, lambda = 7 / n, standardize = FALSE, thresh = 1e-22, maxit = 1e7)
put("logistic_ridge", as.numeric(coef(g)))
g <- glmnet(z, d$cell, family = "multinomial", alpha = 0, lambda = 7 / n, standardize = FALSE, thresh = 1e-22, maxit = 1e7)
b <- sapply(coef(g), as.numeric)    # intercept and slopes by class
b[1, ] <- b[1, ] - mean(b[1, ])
put("multinomial_ridge", as.numeric(b))
t <- log(d$time)
b <- solve(crossprod(z) + 7 * diag(5), crossprod(z, t - mean(t)))
put("linear_ridge", c(mean(t), b))
e <- prcomp(x)
put("pca_variance", e$sdev^2); put("pca_first", abs(e$rotation[, 1]))
sink()
