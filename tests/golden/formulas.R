# lme4: functions in formulas. Log likelihoods by both methods, and coefficients by ML. See common.R for how to run this.
source("common.R")
suppressPackageStartupMessages({library(lme4); library(splines)})

control <- lmerControl(
  optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9, maxfun = 50000), calc.derivs = FALSE, check.conv.singular = "ignore"
)
curves <- sample_data("curves", c("g", "f", "u"))
others <- sample_data("others", c("g", "f"))

formulas <- list(
  log(y) ~ x + (1 | g),
  log(y) ~ log(x) + log(x, 3) + (1 | g),
  sqrt(y) ~ log(x) + (1 + log(x) | g),
  I(y / 10) ~ x + I(x^2) + I((x - 3) / 10 * z) + (1 | g),
  log1p(y) ~ exp(z) + abs(z) + log2(x) + sin(2 * pi * x / 12) + pmax(x, 4) + (1 | g),
  scale(y) ~ z + (1 | g),
  log(y) ~ poly(x, 2) * f + (1 | g),
  log(y) ~ poly(x, 3, raw = TRUE) + (1 | g),
  log(y) ~ x + (poly(x, 2) | g),
  log(y) ~ poly(log(x), degree = 2) + (1 | g),
  log(y) ~ scale(x) + scale(z, scale = FALSE) + (scale(x) | g),
  log(y) ~ scale(x) + scale(z, center = FALSE) + (scale(x) || g),
  log(y) ~ bs(x, df = 5) + (1 | g),
  log(y) ~ bs(x, knots = c(3, 6), degree = 2, Boundary.knots = c(0, 10)) + (1 | g),
  log(y) ~ bs(x, df = 4):u + u + (1 | g),
  log(y) ~ ns(x, df = 4) * u + (1 | g),
  log(y) ~ ns(x, knots = c(3, 5), intercept = TRUE, Boundary.knots = c(2, 8)) + (ns(x, 2) | g),
  log(y) ~ x + offset(log(e)) + (1 | g),
  log(y) ~ x + offset(log(e)) + offset(z) + (x | g),
  log(y) ~ C(f, contr.sum) * z + (1 | g),
  log(y) ~ C(f, contr.sum) * C(u, contr.sum) + (1 | g),
  log(y) ~ C(f, contr.helmert) + z + (1 | g),
  log(y) ~ C(f, contr.poly) + z + (1 | g),
  log(y) ~ 0 + C(f, contr.sum) + u + (1 | g),
  log(y) ~ u + u:C(f, contr.sum) + (1 | g),
  log(y) ~ C(f, contr.helmert):z + u + (1 | g),
  log(y) ~ x + (0 + C(u, contr.sum) | g),
  log(y) ~ x + (C(u, contr.sum) | g),
  log(y) ~ factor(w) * z + (1 | g),
  log(y) ~ f + z %in% f + (1 | g),
  log(y) ~ I(u == "left") + as.numeric(w) + (1 | g),
  log(y) ~ (x + z + log(e))^2 - x:z + (1 | g)
)
texts <- vapply(formulas, deparse1, "")
# The point of lme4 has the grouping factor among its columns, and that of log(y) ~ . the response.
all_others <- list(formula = y ~ . - g + (1 | g), data = "others", text = "y ~ . + (1 | g)")
models <- c(
  lapply(formulas, function(formula) list(formula = formula, data = "curves", text = deparse1(formula))),
  list(all_others)
)

figures <- lapply(models, function(model) {
  fit <- function(reml) suppressWarnings(suppressMessages(lmer(model$formula, get(model$data), REML = reml, control = control)))
  ml <- fit(FALSE)
  list(
    call = model$text, data = model$data, nobs = nobs(ml),
    ml = as.numeric(logLik(ml)), reml = as.numeric(logLik(fit(TRUE))),
    params = setNames(as.list(unname(fixef(ml))), names(fixef(ml)))
  )
})
names(figures) <- vapply(models, function(model) model$text, "")
write_golden(figures, "formulas.R", c("lme4", "splines"))
