# Times lme4 on one data set: Rscript lme4.R DATA.csv FORMULA REPEAT REML OUT.json
#
# What is timed is lmer() as a user calls it (with its default check of the derivatives) plus summary() and vcov(), which
# give the standard errors of the fixed effects. Reading the data is not timed. lme4 gives no standard errors for
# variances; sparsemixed's time includes them.
suppressPackageStartupMessages(library(lme4))

arguments <- commandArgs(trailingOnly = TRUE)
data <- read.csv(arguments[1])
model <- as.formula(arguments[2])
repeats <- as.integer(arguments[3])
reml <- arguments[4] == "TRUE"
out <- arguments[5]

seconds <- numeric(0)
for (i in seq_len(repeats)) {
  elapsed <- system.time({
    fit <- lmer(model, data = data, REML = reml)
    errors <- sqrt(diag(as.matrix(vcov(fit))))
    shown <- summary(fit)
  })[["elapsed"]]
  seconds <- c(seconds, elapsed)
}

text <- function(x) paste0("\"", gsub("[\"\\\\]", "'", gsub("\n", " ", x)), "\"")
number <- function(x) ifelse(is.finite(x), sprintf("%.17g", x), "null")
array <- function(x) paste0("[", paste(x, collapse = ", "), "]")
messages <- unlist(fit@optinfo$conv$lme4$messages)
entries <- c(
  seconds = array(number(seconds)),
  llf = number(as.numeric(logLik(fit))),
  # lme4 calls the deviance function again for its derivative check: about 2 k^2 more evaluations that feval leaves out.
  evaluations = number(fit@optinfo$feval),
  beta = array(number(fixef(fit))),
  bse = array(number(errors)),
  nobs = number(nobs(fit)),
  warnings = array(vapply(as.character(messages), text, "")),
  version = text(paste0("lme4 ", packageVersion("lme4"), ", R ", getRversion(), ", ", basename(La_library())))
)
writeLines(paste0("{", paste0("\"", names(entries), "\": ", entries, collapse = ", "), "}"), out)
