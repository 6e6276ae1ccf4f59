# Times lme4 on one data set: Rscript lme4.R DATA.csv FORMULA REPEAT REML OUT.json [WEIGHTS BY ASK]
#
# What is timed is lmer() as a user calls it (with its default check of the derivatives) plus summary() and vcov(), which
# give the standard errors of the fixed effects. Reading the data is not timed. lme4 gives no standard errors for
# variances; sparsemixed's time includes them. WEIGHTS and BY are columns or "": precision weights, and one fit for every value.
# ASK may name satterthwaite (lmerTest) and kenward-roger (pbkrtest): their degrees of freedom are not timed.
suppressPackageStartupMessages(library(lme4))
source(file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))), "report.R"))

arguments <- c(commandArgs(trailingOnly = TRUE), "", "", "")
model <- as.formula(arguments[2])
repeats <- as.integer(arguments[3])
reml <- arguments[4] == "TRUE"
out <- arguments[5]
data <- read.csv(arguments[1])
if (nzchar(arguments[6])) data$prior <- data[[arguments[6]]]
parts <- frames(data, arguments[7])

fit_one <- function(part) {
  fit <- if (nzchar(arguments[6])) lmer(model, part, REML = reml, weights = prior) else lmer(model, data = part, REML = reml)
  errors <- sqrt(diag(as.matrix(vcov(fit))))
  shown <- summary(fit)
  list(fit = fit, errors = errors)
}
seconds <- numeric(0)
for (i in seq_len(repeats)) {
  elapsed <- system.time(fits <- lapply(parts, fit_one))[["elapsed"]]
  seconds <- c(seconds, elapsed)
}
fit <- fits[[1]]$fit
messages <- unlist(lapply(fits, function(one) one$fit@optinfo$conv$lme4$messages))
# A singular fit is an answer, not a failure to find one.
complaints <- messages[!grepl("singular", messages)]
covariances <- vapply(VarCorr(fit), function(m) square(m, rownames(m)), "")
names(covariances) <- sub("\\.[0-9]+$", "", names(covariances))

degrees <- character(0)
part <- parts[[1]] # both packages evaluate the call of the fit again
tested <- function(how) {
  library(lmerTest)
  table <- coef(summary(as_lmerModLmerTest(fit), ddf = how))
  object(setNames(number(table[, "df"]), plain(rownames(table))))
}
if (grepl("satterthwaite", arguments[8])) degrees["satterthwaite"] <- tested("Satterthwaite")
if (grepl("kenward-roger", arguments[8])) degrees["kenward-roger"] <- tested("Kenward-Roger")

entries <- c(
  seconds = array(number(seconds)),
  llf = number(sum(vapply(fits, function(one) as.numeric(logLik(one$fit)), 0))),
  # lme4 calls the deviance function again for its derivative check: about 2 k^2 more evaluations that feval leaves out.
  evaluations = number(sum(vapply(fits, function(one) one$fit@optinfo$feval, 0))),
  beta = array(number(fixef(fit))),
  bse = array(number(fits[[1]]$errors)),
  nobs = number(sum(vapply(fits, function(one) nobs(one$fit), 0))),
  converged = if (length(complaints)) "false" else "true",
  covariances = object(covariances),
  residual = number(sigma(fit)^2),
  degrees = if (length(degrees)) object(degrees) else "{}",
  warnings = array(vapply(as.character(messages), text, "")),
  version = text(paste0("lme4 ", packageVersion("lme4"), ", R ", getRversion(), ", ", basename(La_library())))
)
writeLines(object(entries), out)
