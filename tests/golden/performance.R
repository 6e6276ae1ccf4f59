# performance: marginal and conditional R2 of Nakagawa, and the two ICCs (adjusted, unadjusted). See common.R for how to run this;
# on Debian besides: apt-get install r-cran-performance. Terms that share a group are left out: version 0.10 counts one of them only.
source("common.R")
suppressPackageStartupMessages({
  library(lme4)
  library(performance)
})

control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9, maxfun = 50000), calc.derivs = FALSE)

sleepstudy <- sample_data("sleepstudy")
penicillin <- sample_data("penicillin")
pastes <- sample_data("pastes")

cases <- list(
  "sleepstudy" = quote(lmer(Reaction ~ Days + (Days | Subject), sleepstudy, control = control)),
  "sleepstudy, ML" = quote(lmer(Reaction ~ Days + (Days | Subject), sleepstudy, REML = FALSE, control = control)),
  "sleepstudy, intercepts" = quote(lmer(Reaction ~ Days + (1 | Subject), sleepstudy, control = control)),
  "penicillin" = quote(lmer(diameter ~ 1 + (1 | plate) + (1 | sample), penicillin, control = control)),
  "pastes" = quote(lmer(strength ~ 1 + (1 | batch/cask), pastes, control = control))
)

figures <- lapply(cases, function(call) {
  fit <- suppressMessages(eval(call))
  r2 <- suppressWarnings(r2_nakagawa(fit))
  shares <- suppressWarnings(icc(fit))
  list(
    call = deparse1(call),
    marginal = as.numeric(r2$R2_marginal), conditional = as.numeric(r2$R2_conditional),
    icc_adjusted = as.numeric(shares$ICC_adjusted), icc_unadjusted = as.numeric(shares$ICC_unadjusted)
  )
})
write_golden(figures, "performance.R", c("lme4", "performance", "insight"))
