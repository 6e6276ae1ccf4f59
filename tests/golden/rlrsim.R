# RLRsim: simulated tails of (restricted) likelihood ratios for one variance, and the example of its manual page. See common.R for how
# to run this, and apt-get install r-cran-rlrsim.
source("common.R")
suppressPackageStartupMessages({
  library(lme4)
  library(RLRsim)
})

draws <- 200000
levels <- c(0.5, 0.75, 0.9, 0.95, 0.99)
sleepstudy <- sample_data("sleepstudy_unbalanced")
penicillin <- sample_data("penicillin_unbalanced")
pastes <- sample_data("pastes")

tails <- function(X, Z, restricted) {
  root <- diag(ncol(Z))
  found <- if (restricted) {
    RLRTSim(X, Z, qr(X), root, seed = 1, nsim = draws)
  } else {
    LRTSim(X, Z, 0, root, seed = 1, nsim = draws)
  }
  list(quantiles = as.numeric(quantile(found, levels)), zero = mean(found < 1e-6))
}
both <- function(call, X, Z) list(call = call, reml = tails(X, Z, TRUE), ml = tails(X, Z, FALSE))
indicators <- function(group, x = 1) model.matrix(~ 0 + factor(group)) * x

figures <- list(
  "intercepts" = both(
    "Reaction ~ Days + (1 | Subject)",
    model.matrix(~ Days, sleepstudy), indicators(sleepstudy$Subject)
  ),
  "slopes" = both(
    "Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)",
    model.matrix(~ Days, sleepstudy), indicators(sleepstudy$Subject, sleepstudy$Days)
  ),
  "plates" = both(
    "diameter ~ 1 + (1 | sample) + (1 | plate)",
    model.matrix(~ 1, penicillin), indicators(penicillin$plate)
  ),
  "casks" = both("strength ~ 1 + (1 | batch)", model.matrix(~ 1, pastes), indicators(pastes$batch))
)
# A weak effect, whose p-value means something: the example of the manual page has none above 2.2e-16.
whole <- lmer(strength ~ 1 + (1 | batch), pastes)
example <- exactRLRT(whole, nsim = draws, seed = 1)
figures[["casks"]]$statistic <- as.numeric(example$statistic)
figures[["casks"]]$pvalue <- example$p.value
write_golden(figures, "rlrsim.R", c("RLRsim", "lme4"))
