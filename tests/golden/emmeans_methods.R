# emmeans with the degrees of freedom of Satterthwaite (lmerTest): weights, families of contrasts with their adjustments, slopes, joint
# tests; and the least-squares means of lmerTest's own ls_means for simulated data with the designs of its ham and carrots. See common.R
# for how to run this, and apt-get install r-cran-emmeans r-cran-lmertest.
source("common.R")
suppressPackageStartupMessages({
  library(lmerTest)
  library(emmeans)
})
emm_options(lmer.df = "satterthwaite")

control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9, maxfun = 50000), calc.derivs = FALSE)
rows <- function(table, keys, values) {
  found <- as.data.frame(table)
  found <- found[!is.na(found$SE), ]
  words <- apply(found[keys], 1, function(row) paste(trimws(row), collapse = " "))
  lapply(setNames(values, values), function(value) setNames(as.list(found[[value]]), words))
}
quiet <- suppressMessages
means <- c("emmean", "SE", "df", "lower.CL", "upper.CL")
single <- c("estimate", "SE", "df", "p.value")

figures <- list()
for (name in paste0("unbalanced", 1:6)) {
  data <- sample_data(name, c("a", "b"))
  fit <- quiet(lmer(y ~ a * b + a * x + (1 | g), data, control = control))
  cells <- quiet(emmeans(fit, ~ a | b))
  adjusted <- lapply(
    setNames(nm = c("none", "holm", "sidak", "bonferroni", "scheffe", "fdr", "tukey")),
    function(adjust) rows(pairs(cells, adjust = adjust), c("b", "contrast"), single)
  )
  limits <- lapply(
    setNames(nm = c("none", "sidak", "bonferroni", "scheffe", "tukey")),
    function(adjust) rows(confint(pairs(cells), adjust = adjust), c("b", "contrast"), c("lower.CL", "upper.CL"))
  )
  weights <- lapply(
    setNames(nm = c("equal", "proportional", "outer", "cells", "flat")),
    function(weights) {
      list(
        a = rows(quiet(emmeans(fit, ~ a, weights = weights)), "a", means),
        b = rows(quiet(emmeans(fit, ~ b, weights = weights)), "b", means)
      )
    }
  )
  tests <- as.data.frame(quiet(joint_tests(fit)))
  by_b <- as.data.frame(quiet(joint_tests(fit, by = "b")))
  mvt <- rows(contrast(cells, "trt.vs.ctrl", adjust = "mvt"), c("b", "contrast"), c("estimate", "SE", "df", "p.value"))
  figures[[name]] <- list(
    call = "lmer(y ~ a * b + a * x + (1 | g))",
    weights = weights,
    pairs = adjusted,
    limits = limits,
    families = lapply(
      setNames(nm = c("trt.vs.ctrl", "consec", "eff", "del.eff", "poly")),
      function(method) rows(contrast(cells, method, adjust = "none"), c("b", "contrast"), single)
    ),
    mvt = mvt,
    at = rows(quiet(emmeans(fit, ~ a, at = list(x = c(1, 4), b = "1"))), "a", means),
    values = rows(quiet(emmeans(fit, ~ x | a, at = list(x = c(1, 4), b = "1"))), c("a", "x"), means),
    slopes = rows(pairs(quiet(emtrends(fit, ~ a, var = "x")), adjust = "none"), "contrast", single),
    joint = lapply(setNames(nm = c("df1", "F.ratio", "df2")), function(v) setNames(as.list(tests[[v]]), tests[["model term"]])),
    joint_by = lapply(
      setNames(nm = c("df1", "F.ratio", "df2")),
      function(v) setNames(as.list(by_b[[v]]), paste(by_b$b, by_b[["model term"]]))
    )
  )
}

# Weights of three factors: products of margins are not margins of products.
data <- sample_data("three_factors", c("a", "b", "c"))
fit <- quiet(lmer(y ~ a * b + c + x + (1 | g), data, control = control))
figures$three_factors <- list(
  call = "lmer(y ~ a * b + c + x + (1 | g))",
  weights = lapply(
    setNames(nm = c("equal", "proportional", "outer", "cells", "flat")),
    function(weights) {
      list(
        a = rows(quiet(emmeans(fit, ~ a, weights = weights)), "a", means),
        cells = rows(quiet(emmeans(fit, ~ a | b, weights = weights)), c("b", "a"), means)
      )
    }
  )
)

ls <- function(fit, which) {
  found <- ls_means(fit, which = which)
  values <- list(Estimate = found$Estimate, SE = found[["Std. Error"]], df = found$df, lower = found$lower, upper = found$upper)
  lapply(values, function(value) setNames(as.list(value), sub(which, "", rownames(found), fixed = TRUE)))
}
ham <- sample_data("ham", c("Consumer", "Product", "Information", "Gender"))
fit <- lmer(
  Informed.liking ~ Product * Information + (1 | Consumer) + (1 | Product:Consumer) + (1 | Information:Consumer), ham,
  control = control
)
figures$ham <- list(
  call = "lmer(Informed.liking ~ Product * Information + (1 | Consumer) + (1 | Product:Consumer) + (1 | Information:Consumer))",
  Product = ls(fit, "Product"), Information = ls(fit, "Information")
)
carrots <- sample_data("carrots", c("Consumer", "Homesize", "product"))
fit <- lmer(Preference ~ sens2 + Homesize + (1 + sens2 | Consumer), carrots, control = control)
figures$carrots <- list(call = "lmer(Preference ~ sens2 + Homesize + (1 + sens2 | Consumer))", Homesize = ls(fit, "Homesize"))
write_golden(figures, "emmeans_methods.R", c("lme4", "lmerTest", "emmeans"))
