# Times nlme on one data set: Rscript nlme.R DATA.csv FIXED RANDOM CORRELATION WEIGHTS REPEAT REML OUT.json
#
# FIXED and RANDOM are formulas, CORRELATION and WEIGHTS calls such as corAR1(form = ~ visit | id); "" leaves a part out. What
# is timed is lme() or, without random effects, gls() as a user calls it, then summary(), which has the standard errors of the
# fixed effects. Reading the data is not timed.
# Both compute approximate standard errors of the variances as well.
suppressPackageStartupMessages(library(nlme))

arguments <- commandArgs(trailingOnly = TRUE)
data <- read.csv(arguments[1], stringsAsFactors = TRUE)
part <- function(i) if (nzchar(arguments[i])) eval(parse(text = arguments[i])) else NULL
fixed <- part(2)
random <- part(3)
correlation <- part(4)
weights <- part(5)
repeats <- as.integer(arguments[6])
method <- if (arguments[7] == "TRUE") "REML" else "ML"
out <- arguments[8]

seconds <- numeric(0)
for (i in seq_len(repeats)) {
  elapsed <- system.time({
    if (is.null(random)) {
      fit <- gls(fixed, data, correlation, weights, method = method)
      beta <- coef(fit)
    } else {
      fit <- lme(fixed, data, random, correlation, weights, method = method)
      beta <- fixef(fit)
    }
    errors <- summary(fit)$tTable[, 2]
  })[["elapsed"]]
  seconds <- c(seconds, elapsed)
}

text <- function(x) paste0("\"", gsub("[\"\\\\]", "'", gsub("\n", " ", x)), "\"")
number <- function(x) ifelse(is.finite(x), sprintf("%.17g", x), "null")
array <- function(x) paste0("[", paste(x, collapse = ", "), "]")
entries <- c(
  seconds = array(number(seconds)),
  llf = number(as.numeric(logLik(fit))),
  beta = array(number(beta)),
  bse = array(number(errors)),
  nobs = number(nobs(fit)),
  version = text(paste0("nlme ", packageVersion("nlme"), ", R ", getRversion(), ", ", basename(La_library())))
)
writeLines(paste0("{", paste0("\"", names(entries), "\": ", entries, collapse = ", "), "}"), out)
