# lme4's parametric bootstrap (bootMer) and pbkrtest's bootstrap of a likelihood ratio (PBmodcomp). See common.R for how to run
# this; it takes minutes.
source("common.R")
suppressPackageStartupMessages({
  library(lme4)
  library(pbkrtest)
})

sleepstudy <- sample_data("sleepstudy")
control <- lmerControl(optimizer = "bobyqa", calc.derivs = FALSE)
set.seed(20250101)

m <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy, REML = FALSE, control = control)
statistic <- function(fit) {
  V <- VarCorr(fit)$Subject
  c(fixef(fit), V[1, 1], V[2, 2], V[1, 2], sigma(fit)^2)
}
names_ours <- c("_cons", "Days", "Subject: var(_cons)", "Subject: var(Days)", "Subject: cov(Days,_cons)", "var(Residual)")
nsim <- 400
boot <- suppressMessages(suppressWarnings(bootMer(m, statistic, nsim = nsim, seed = 1)))
probabilities <- c(0.025, 0.25, 0.5, 0.75, 0.975)
quantiles <- apply(boot$t, 2, quantile, probs = probabilities, names = FALSE)
colnames(quantiles) <- names_ours

large <- lmer(Reaction ~ Days + I(Days^2) + (Days | Subject), sleepstudy, REML = FALSE, control = control)
compared <- function(a, b, simulations) {
  found <- suppressMessages(suppressWarnings(PBmodcomp(a, b, nsim = simulations, seed = 2)))$test
  list(call = deparse1(a@call), nsim = simulations, statistic = found["PBtest", "stat"], pvalue = found["PBtest", "p.value"])
}

figures <- list(
  "sleepstudy" = list(
    call = deparse1(m@call), nsim = nsim, probabilities = probabilities, quantiles = as.list(as.data.frame(quantiles)),
    std_err = setNames(as.list(apply(boot$t, 2, sd)), names_ours)
  ),
  "sleepstudy, quadratic" = compared(large, m, nsim)
)
write_golden(figures, "resampling.R", c("lme4", "pbkrtest"))
