# pbkrtest and lmerTest: degrees of freedom in small samples. See common.R for how to run this.
#
# Kenward-Roger (expected information) by pbkrtest, Satterthwaite (observed information) by lmerTest, for every coefficient alone
# and for all but the constant together. bobyqa with a small final radius makes lme4 iterate further than by default.
source("common.R")
suppressPackageStartupMessages({
  library(lme4)
  library(lmerTest)
  library(pbkrtest)
})

control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9, maxfun = 50000), calc.derivs = FALSE)

sleepstudy <- sample_data("sleepstudy")
sleepstudy_unbalanced <- sample_data("sleepstudy_unbalanced")
penicillin_unbalanced <- sample_data("penicillin_unbalanced")
cake <- sample_data("cake", c("replicate", "recipe"))
oats <- sample_data("oats")
machines <- sample_data("machines")
machines_unbalanced <- sample_data("machines_unbalanced")
oxide_unbalanced <- sample_data("oxide_unbalanced")
insteval_start <- sample_data("insteval_start")
veneer <- sample_data("veneer")

models <- list(
  "sleepstudy" = quote(lmer(Reaction ~ Days + (Days | Subject), sleepstudy)),
  "sleepstudy, unbalanced" = quote(lmer(Reaction ~ Days + (Days | Subject), sleepstudy_unbalanced)),
  "penicillin" = quote(lmer(diameter ~ x + (1 | plate) + (1 | sample), penicillin_unbalanced)),
  "cake" = quote(lmer(angle ~ recipe + temp + (1 | recipe:replicate), cake)),
  "oats" = quote(lmer(yield ~ nitro + Variety + (1 | Block/Variety), oats)),
  "machines" = quote(lmer(score ~ Machine + (1 | Worker/Machine), machines_unbalanced)),
  "machines, unstructured" = quote(lmer(score ~ Machine + (Machine | Worker), machines)),
  "oxide" = quote(lmer(Thickness ~ Source + z + (1 | Lot/Wafer), oxide_unbalanced)),
  "insteval" = quote(lmer(y ~ service + (1 | s) + (1 | d), insteval_start)),
  "veneer" = quote(lmer(gcf ~ followup + base_gcf + cda + age + (followup | patient) + (1 | patient:tooth), veneer))
)

figures <- lapply(models, function(call) {
  own <- call
  own[[1]] <- quote(lmerTest::lmer)
  own$control <- quote(control)
  fit <- suppressMessages(eval(own))
  data <- get(as.character(call[[3]]))
  named <- function(values) by_coefficient(values, names(fixef(fit)), data)
  p <- length(fixef(fit))
  unit <- diag(p)
  joint <- unit[-1, , drop = FALSE]
  roger <- KRmodcomp(fit, joint)$stats
  together <- contestMD(fit, joint)
  list(
    call = deparse1(call),
    kroger = list(
      bse = named(sqrt(diag(as.matrix(vcovAdj(fit))))),
      df = named(vapply(seq_len(p), function(i) get_Lb_ddf(fit, unit[i, ]), 0)),
      joint = list(F = roger$Fstat, df = p - 1, ddf = roger$ddf)
    ),
    satterthwaite = list(
      bse = named(sqrt(diag(as.matrix(vcov(fit))))),
      df = named(vapply(seq_len(p), function(i) contest1D(fit, unit[i, ])[["df"]], 0)),
      joint = list(F = together[["F value"]], df = p - 1, ddf = together[["DenDF"]])
    )
  )
})
write_golden(figures, "dof.R", c("lme4", "lmerTest", "pbkrtest"))
