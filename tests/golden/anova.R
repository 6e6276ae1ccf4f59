# lmerTest: anova() of one fit, tests of its terms of types 1, 2 and 3, with Satterthwaite's and Kenward and Roger's degrees of freedom
# (the latter from pbkrtest). See common.R for how to run this.
source("common.R")
suppressPackageStartupMessages(library(lmerTest))

control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9, maxfun = 50000))

cake <- sample_data("cake", c("replicate", "recipe"))
cake <- cake[seq_len(nrow(cake)) %% 7 != 0, ]
oats <- sample_data("oats_unbalanced", c("Block", "Variety"))
oats$dose <- factor(oats$nitro)
machines <- sample_data("machines_unbalanced", c("Worker", "Machine"))
machines$half <- factor(seq_len(nrow(machines)) %% 2)

models <- list(
  "cake" = quote(lmer(angle ~ recipe * temp + (1 | recipe:replicate), cake, control = control)),
  "oats" = quote(lmer(yield ~ Variety * dose + (1 | Block / Variety), oats, control = control)),
  "oats_slopes" = quote(lmer(yield ~ nitro + Variety + Variety:nitro + I(nitro^2) + (1 | Block), oats, control = control)),
  "machines" = quote(lmer(score ~ half + Machine + Machine:half + (1 | Worker), machines, control = control)),
  "machines_nested" = quote(lmer(score ~ Machine + Machine:half + (1 | Worker), machines, control = control))
)

# The order of variables in a term's name does not matter.
term <- function(name) paste(sort(strsplit(name, ":", fixed = TRUE)[[1]]), collapse = ":")

figures <- lapply(models, function(call) {
  fit <- eval(call)
  methods <- list(satterthwaite = "Satterthwaite", kroger = "Kenward-Roger")
  tables <- lapply(methods, function(ddf) {
    lapply(c(type1 = 1, type2 = 2, type3 = 3), function(type) {
      table <- as.data.frame(anova(fit, type = type, ddf = ddf))
      rows <- lapply(seq_len(nrow(table)), function(i) {
        list(F = table[["F value"]][i], df = table$NumDF[i], ddf = table$DenDF[i], pvalue = table[["Pr(>F)"]][i])
      })
      setNames(rows, vapply(trimws(row.names(table)), term, ""))
    })
  })
  c(list(call = deparse1(call)), tables)
})
write_golden(figures, "anova.R", c("lmerTest", "lme4", "pbkrtest"))
