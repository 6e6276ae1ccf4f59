# Times lme4's influence() by group on one data set: Rscript influence.R DATA.csv FORMULA GROUP OUT.json
#
# `largest` is the largest Cook's distance by its definition, d' inv(V) d / p, from the coefficients without each group.
suppressPackageStartupMessages(library(lme4))

arguments <- commandArgs(trailingOnly = TRUE)
data <- read.csv(arguments[1])
data[[arguments[3]]] <- factor(data[[arguments[3]]])
formula <- as.formula(arguments[2])

fitting <- system.time(fit <- lmer(formula, data = data))[["elapsed"]]
used <- system.time(found <- influence(fit, groups = arguments[3]))
without <- found[[paste0("fixed.effects[-", arguments[3], "]")]]
d <- sweep(without, 2, fixef(fit))
distances <- rowSums((d %*% solve(as.matrix(vcov(fit)))) * d) / ncol(d)

number <- function(x) sprintf("%.17g", x)
entries <- c(
  fit = number(fitting), after = number(used[["elapsed"]]), cpu = number(used[["user.self"]] + used[["sys.self"]]),
  largest = number(max(distances)),
  version = paste0("\"lme4 ", packageVersion("lme4"), ", R ", getRversion(), "\"")
)
writeLines(paste0("{", paste0("\"", names(entries), "\": ", entries, collapse = ", "), "}"), arguments[4])
