# lme4: hat values, Cook's distances of rows, and every group left out in turn and the model fitted again. See common.R for how to
# run this.
#
# `beta`, `vcov` and `variances` of a group are those of the fit without it; `cooks` is Cook's distance from them by its definition,
# d' inv(V) d / p with V the covariance matrix of the whole fit.
source("common.R")
suppressPackageStartupMessages(library(lme4))

control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9, maxfun = 50000), calc.derivs = FALSE)

sleepstudy <- sample_data("sleepstudy")
penicillin <- sample_data("penicillin")
pastes <- sample_data("pastes")

cases <- list(
  "sleepstudy" = list(quote(lmer(Reaction ~ Days + (Days | Subject), sleepstudy, control = control)), "Subject"),
  "sleepstudy, ML" = list(
    quote(lmer(Reaction ~ Days + (Days | Subject), sleepstudy, REML = FALSE, control = control)), "Subject"
  ),
  "sleepstudy, weighted" = list(
    quote(lmer(Reaction ~ Days + (Days | Subject), sleepstudy, weights = 1 + (Days %% 3) / 2, control = control)), "Subject"
  ),
  "penicillin" = list(quote(lmer(diameter ~ 1 + (1 | plate) + (1 | sample), penicillin, control = control)), "sample"),
  "pastes" = list(quote(lmer(strength ~ 1 + (1 | batch/cask), pastes, control = control)), "batch")
)

figures <- lapply(cases, function(case) {
  call <- case[[1]]
  fit <- suppressMessages(eval(call))
  V <- as.matrix(vcov(fit))
  data <- get(as.character(call[[3]]))
  labels <- unique(data[[case[[2]]]])
  left_out <- lapply(labels, function(label) {
    remaining <- data[data[[case[[2]]]] != label, ]
    call[[3]] <- quote(remaining)
    rest <- suppressMessages(eval(call))
    d <- fixef(fit) - fixef(rest)
    variances <- as.data.frame(VarCorr(rest))
    list(
      beta = setNames(as.list(unname(fixef(rest))), sub("(Intercept)", "_cons", names(d), fixed = TRUE)),
      vcov = as.numeric(as.matrix(vcov(rest))),
      variances = setNames(as.list(variances$vcov), paste(variances$grp, variances$var1, variances$var2)),
      cooks = as.numeric(t(d) %*% solve(V, d)) / length(d)
    )
  })
  list(
    call = deparse1(case[[1]]), by = case[[2]],
    hat = as.numeric(hatvalues(fit)), cooksd = as.numeric(cooks.distance(fit)),
    left_out = setNames(left_out, as.character(labels))
  )
})
write_golden(figures, "influence.R", "lme4")
