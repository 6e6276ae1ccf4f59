# Times emmeans of 60 cells with degrees of freedom: Rscript emmeans.R DATA.csv FORMULA METHOD OUT.json
#
# METHOD is satterthwaite (lmerTest) or kroger (pbkrtest). The limits above which emmeans gives up degrees of freedom are raised.
suppressPackageStartupMessages({library(lme4); library(lmerTest); library(emmeans)})

arguments <- commandArgs(trailingOnly = TRUE)
data <- read.csv(arguments[1])
for (name in c("a", "b", "g")) data[[name]] <- factor(data[[name]])
mode <- if (arguments[3] == "kroger") "kenward-roger" else "satterthwaite"
ddf <- if (arguments[3] == "kroger") "Kenward-Roger" else "Satterthwaite"
emm_options(pbkrtest.limit = Inf, lmerTest.limit = Inf, lmer.df = mode)

fitting <- system.time(fit <- lmerTest::lmer(as.formula(arguments[2]), data = data))[["elapsed"]]
degrees <- system.time(coef(summary(fit, ddf = ddf)))[["elapsed"]]
margins <- system.time(found <- as.data.frame(emmeans(fit, ~ a * b * x, at = list(x = c(1, 3)))))[["elapsed"]]

number <- function(x) ifelse(is.finite(x), sprintf("%.17g", x), "null")
entries <- c(
  fit = number(fitting),
  degrees = number(degrees),
  margins = number(margins),
  df = paste0("[", paste(number(found$df), collapse = ", "), "]"),
  version = paste0("\"emmeans ", packageVersion("emmeans"), ", R ", getRversion(), "\"")
)
writeLines(paste0("{", paste0("\"", names(entries), "\": ", entries, collapse = ", "), "}"), arguments[4])
