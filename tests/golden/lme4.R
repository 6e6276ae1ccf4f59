# lme4: log likelihoods, coefficients, standard errors, variances, criteria. See common.R for how to run this.
#
# bobyqa with a small final radius makes lme4 iterate further than by default, so that its optimum has as many digits as its
# deviance function allows.
source("common.R")
suppressPackageStartupMessages(library(lme4))

control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9, maxfun = 50000), calc.derivs = FALSE)

sleepstudy <- sample_data("sleepstudy")
penicillin <- sample_data("penicillin")
pastes <- sample_data("pastes")
dyestuff2 <- sample_data("dyestuff2")
insteval <- sample_data("insteval")

models <- list(
  "sleepstudy" = quote(lmer(Reaction ~ Days + (Days | Subject), sleepstudy)),
  "penicillin" = quote(lmer(diameter ~ 1 + (1 | plate) + (1 | sample), penicillin)),
  "pastes" = quote(lmer(strength ~ 1 + (1 | batch/cask), pastes)),
  "dyestuff2" = quote(lmer(Yield ~ 1 + (1 | Batch), dyestuff2)),
  "insteval" = quote(lmer(y ~ service + (1 | s) + (1 | d) + (1 | dept), insteval)),
  "sleepstudy, weighted" = quote(lmer(Reaction ~ Days + (Days | Subject), sleepstudy, weights = 1 + (Days %% 3) / 2)),
  "penicillin, weighted" = quote(lmer(diameter ~ 1 + (1 | plate) + (1 | sample), penicillin, weights = w))
)

plain <- function(names) sub("(Intercept)", "_cons", names, fixed = TRUE)

# Variances and covariances by group and effects: "Subject _cons Days".
variances <- function(fit) {
  part <- as.data.frame(VarCorr(fit))
  second <- ifelse(is.na(part$var2), "", paste0(" ", plain(part$var2)))
  setNames(as.list(part$vcov), ifelse(part$grp == "Residual", "Residual", paste0(part$grp, " ", plain(part$var1), second)))
}

figures <- lapply(models, function(call) {
  one <- function(reml) {
    call$REML <- reml
    call$control <- quote(control)
    fit <- suppressMessages(eval(call))
    list(
      llf = as.numeric(logLik(fit)),
      params = setNames(as.list(unname(fixef(fit))), plain(names(fixef(fit)))),
      bse = setNames(as.list(sqrt(diag(as.matrix(vcov(fit))))), plain(names(fixef(fit)))),
      variances = variances(fit),
      criteria = list(
        nobs = nobs(fit), sigma = sigma(fit), AIC = AIC(fit), BIC = BIC(fit), df.residual = df.residual(fit)
      )
    )
  }
  list(call = deparse1(call), ml = one(FALSE), reml = one(TRUE))
})
write_golden(figures, "lme4.R", "lme4")
