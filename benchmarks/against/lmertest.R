# Times lmerTest's Satterthwaite degrees of freedom on one data set: Rscript lmertest.R DATA.csv FORMULA FACTORS OUT.json
#
# FACTORS are the columns, separated by commas, to be read as factors. The fit is lme4's without its check of the derivatives;
# what is timed after it is lmerTest's own work (second derivatives of the deviance, first ones of the covariance of the
# coefficients) and the table of coefficients.
suppressPackageStartupMessages(library(lmerTest))

arguments <- commandArgs(trailingOnly = TRUE)
data <- read.csv(arguments[1])
model <- as.formula(arguments[2])
for (name in strsplit(arguments[3], ",")[[1]]) data[[name]] <- factor(data[[name]])

fitting <- system.time(fit <- lme4::lmer(model, data = data, control = lme4::lmerControl(calc.derivs = FALSE)))[["elapsed"]]
testing <- system.time({
  tested <- as_lmerModLmerTest(fit)
  table <- coef(summary(tested, ddf = "Satterthwaite"))
})[["elapsed"]]

number <- function(x) ifelse(is.finite(x), sprintf("%.17g", x), "null")
entries <- c(
  fit = number(fitting),
  degrees = number(testing),
  llf = number(as.numeric(logLik(fit))),
  df = paste0("[", paste(number(table[, "df"]), collapse = ", "), "]"),
  version = paste0("\"lmerTest ", packageVersion("lmerTest"), ", R ", getRversion(), "\"")
)
writeLines(paste0("{", paste0("\"", names(entries), "\": ", entries, collapse = ", "), "}"), arguments[4])
