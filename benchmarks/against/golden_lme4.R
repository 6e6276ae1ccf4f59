# The figures of tests/test_against_lme4.py, by lme4 on its own data sets: Rscript benchmarks/against/golden_lme4.R
#
# Prints the entries of the test's dictionary GOLDEN. bobyqa with a small final radius makes lme4 iterate further than by
# default, so that its optimum has as many digits as its deviance function allows.
suppressPackageStartupMessages(library(lme4))

control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9, maxfun = 20000), calc.derivs = FALSE)

# The ratings' factor `service` has the levels 0 and 1 and enters as these numbers.
InstEval$service <- as.numeric(as.character(InstEval$service))

models <- list(
  list("sleepstudy", Reaction ~ Days + (Days | Subject)),
  list("Penicillin", diameter ~ 1 + (1 | plate) + (1 | sample)),
  list("Pastes", strength ~ 1 + (1 | batch/cask)),
  list("Dyestuff2", Yield ~ 1 + (1 | Batch)),
  list("InstEval", y ~ service + (1 | s) + (1 | d) + (1 | dept))
)

number <- function(x) sprintf("%.10g", x)
entries <- function(names, values) paste0("{", paste0("\"", names, "\": ", number(values), collapse = ", "), "}")
ours <- function(names) sub("(Intercept)", "_cons", names, fixed = TRUE)

cat("# ", R.version.string, ", lme4 ", as.character(packageVersion("lme4")), "\n", sep = "")
for (model in models) {
  for (reml in c(FALSE, TRUE)) {
    fit <- suppressMessages(lmer(model[[2]], get(model[[1]]), REML = reml, control = control))
    part <- as.data.frame(VarCorr(fit))
    second <- ifelse(is.na(part$var2), "", paste0(" ", ours(part$var2)))
    names <- ifelse(part$grp == "Residual", "Residual", paste0(part$grp, " ", ours(part$var1), second))
    cat(sprintf("    (\"%s\", \"%s\"): Golden(\n", model[[1]], if (reml) "reml" else "ml"))
    cat(sprintf("        llf=%s,\n", number(as.numeric(logLik(fit)))))
    cat(sprintf("        params=%s,\n", entries(ours(names(fixef(fit))), fixef(fit))))
    cat(sprintf("        bse=%s,\n", entries(ours(names(fixef(fit))), sqrt(diag(as.matrix(vcov(fit)))))))
    cat(sprintf("        variances=%s,\n", entries(names, part$vcov)))
    cat("    ),\n")
  }
}
