# Partial log-likelihood at fixed log-risks, by R's survival package (Debian r-cran-survival).
library(survival)
time <- c(1, 2, 2, 2, 3, 4, 4, 5, 6, 6)
event <- c(1, 1, 1, 0, 1, 1, 1, 0, 1, 1)
score <- c(0.5, -0.2, 1.1, 0.3, -0.7, 0.9, 0.0, 0.4, -1.2, 0.8)
for (ties in c("efron", "breslow")) {
  fit <- coxph(Surv(time, event) ~ score, init = 1, ties = ties, control = coxph.control(iter.max = 0))
  cat(ties, format(-fit$loglik[2], digits = 15), "\n")
}
