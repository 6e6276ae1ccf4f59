# emmeans: marginal means with the degrees of freedom of Kenward and Roger, their pairs with Tukey's p-values, slopes. See common.R
# for how to run this, and apt-get install r-cran-emmeans r-cran-pbkrtest.
source("common.R")
suppressPackageStartupMessages({
  library(lme4)
  library(emmeans)
})

control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9, maxfun = 50000), calc.derivs = FALSE)
figures <- list()
for (name in paste0("unbalanced", 1:6)) {
  data <- sample_data(name, c("a", "b"))
  fit <- suppressMessages(lmer(y ~ a * b + a * x + (1 | g), data, control = control))
  rows <- function(table, keys, values) {
    found <- as.data.frame(table)
    found <- found[!is.na(found$SE), ]
    words <- apply(found[keys], 1, function(row) paste(trimws(row), collapse = " "))
    lapply(setNames(values, values), function(value) setNames(as.list(found[[value]]), words))
  }
  means <- c("emmean", "SE", "df", "lower.CL", "upper.CL")
  cells <- suppressMessages(emmeans(fit, ~ a | b))
  figures[[name]] <- list(
    call = "lmer(y ~ a * b + a * x + (1 | g))",
    a = rows(suppressMessages(emmeans(fit, ~ a)), "a", means),
    cells = rows(cells, c("b", "a"), means),
    pairs = rows(pairs(cells, adjust = "tukey"), c("b", "contrast"), c("estimate", "SE", "df", "p.value")),
    slopes = rows(suppressMessages(emtrends(fit, ~ a, var = "x")), "a", c("x.trend", "SE", "df"))
  )
}
write_golden(figures, "emmeans.R", c("lme4", "emmeans", "pbkrtest"))
