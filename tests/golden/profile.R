# lme4: confint(method = "profile") of eight models by ML, which is what lme4 profiles. See common.R for how to run this.
#
# Rows are in lme4's order: standard deviations and correlations of each term, sigma, coefficients. Limits come from a spline
# through the profile and are good to a few units in the fourth digit.
source("common.R")
suppressPackageStartupMessages(library(lme4))

control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9), calc.derivs = FALSE)
sleepstudy <- sample_data("sleepstudy", "Subject")
penicillin <- sample_data("penicillin", c("plate", "sample"))
pastes <- sample_data("pastes", c("batch", "cask", "sample"))
dyestuff2 <- sample_data("dyestuff2", "Batch")
orthodont <- sample_data("orthodont", c("Subject", "Sex"))
cases <- list(
  "sleepstudy" = quote(lmer(Reaction ~ Days + (Days | Subject), sleepstudy, REML = FALSE, control = control)),
  "sleepstudy, independent" = quote(
    lmer(Reaction ~ Days + (1 | Subject) + (0 + Days | Subject), sleepstudy, REML = FALSE, control = control)
  ),
  "sleepstudy, constants" = quote(lmer(Reaction ~ Days + (1 | Subject), sleepstudy, REML = FALSE, control = control)),
  "sleepstudy, weighted" = quote(
    lmer(Reaction ~ Days + (Days | Subject), sleepstudy, weights = 1 + (Days %% 3) / 2, REML = FALSE, control = control)
  ),
  "penicillin" = quote(lmer(diameter ~ 1 + (1 | plate) + (1 | sample), penicillin, REML = FALSE, control = control)),
  "pastes" = quote(lmer(strength ~ 1 + (1 | batch/cask), pastes, REML = FALSE, control = control)),
  "dyestuff2" = quote(lmer(Yield ~ 1 + (1 | Batch), dyestuff2, REML = FALSE, control = control)),
  "orthodont" = quote(lmer(distance ~ age + (1 | Subject), orthodont, REML = FALSE, control = control))
)

figures <- lapply(cases, function(call) {
  fit <- suppressMessages(eval(call))
  limits <- suppressMessages(confint(profile(fit, signames = FALSE), level = 0.95))
  list(call = deparse1(call), names = rownames(limits), low = as.numeric(limits[, 1]), high = as.numeric(limits[, 2]))
})
write_golden(figures, "profile.R", "lme4")
