# Times nlme on one data set: Rscript nlme.R DATA.csv FIXED RANDOM CORRELATION WEIGHTS REPEAT REML OUT.json [ASK]
#
# FIXED and RANDOM are formulas, CORRELATION and WEIGHTS calls such as corAR1(form = ~ visit | id); "" leaves a part out. What
# is timed is lme() or, without random effects, gls() as a user calls it, then summary(), which has the standard errors of the
# fixed effects. Reading the data is not timed.
# Both compute approximate standard errors of the variances as well: those of log standard deviations are reported as ones of
# variances where ASK names errors.
suppressPackageStartupMessages(library(nlme))
source(file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))), "report.R"))

arguments <- c(commandArgs(trailingOnly = TRUE), "")
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
      fit <- gls(fixed, data, correlation, weights, method = method, na.action = na.omit)
      beta <- coef(fit)
    } else {
      fit <- lme(fixed, data, random, correlation, weights, method = method, na.action = na.omit)
      beta <- fixef(fit)
    }
    errors <- summary(fit)$tTable[, 2]
  })[["elapsed"]]
  seconds <- c(seconds, elapsed)
}

# Factors come from the innermost outwards, each named alone; their groups are those of the outer ones, too.
covariances <- character(0)
variances <- list()
if (!is.null(random)) {
  factors <- names(fit$modelStruct$reStruct)
  for (i in seq_along(factors)) {
    m <- fit$sigma^2 * as.matrix(fit$modelStruct$reStruct[[i]])
    group <- paste(rev(factors[i:length(factors)]), collapse = ":")
    covariances[group] <- square(m, rownames(m))
    variances[[factors[i]]] <- m
  }
}
approximate <- character(0)
if (grepl("errors", arguments[9]) && length(variances) == 1 && is.matrix(fit$apVar)) {
  m <- variances[[1]]
  found <- matrix(NA, nrow(m), ncol(m))
  log_sd <- paste0("reStruct.", names(variances), seq_len(nrow(m)))
  if (nrow(m) == 1) log_sd <- paste0("reStruct.", names(variances))
  diag(found) <- 2 * diag(m) * sqrt(diag(fit$apVar)[log_sd])
  approximate[names(variances)] <- square(found, rownames(m))
}
entries <- c(
  seconds = array(number(seconds)),
  llf = number(as.numeric(logLik(fit))),
  beta = array(number(beta)),
  bse = array(number(errors)),
  nobs = number(nobs(fit)),
  converged = "true", # it stops where it does not converge
  covariances = if (length(covariances)) object(covariances) else "{}",
  errors = if (length(approximate)) object(approximate) else "{}",
  residual = number(fit$sigma^2),
  version = text(paste0("nlme ", packageVersion("nlme"), ", R ", getRversion(), ", ", basename(La_library())))
)
writeLines(object(entries), out)
