# The figures of tests/test_dof_against_r.py, by pbkrtest and lmerTest: Rscript benchmarks/against/golden_dof.R
#
# Prints the entries of the test's dictionary GOLDEN: Kenward-Roger (expected information) by pbkrtest, Satterthwaite
# (observed information) by lmerTest, for every coefficient alone and for all but the intercept together. bobyqa with a
# small final radius makes lme4 iterate further than by default.
suppressPackageStartupMessages({
  library(lme4)
  library(lmerTest)
  library(pbkrtest)
})

control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9, maxfun = 50000), calc.derivs = FALSE)
plain <- function(data) {
  data <- as.data.frame(data)
  factors <- vapply(data, is.factor, TRUE)
  data[factors] <- lapply(data[factors], function(x) factor(as.character(x)))
  data
}
every <- function(data, k) data[seq_len(nrow(data)) %% k != 0, ]

penicillin <- plain(Penicillin)
penicillin$x <- (7 * seq_len(144)) %% 11
oats <- plain(nlme::Oats)
oxide <- every(plain(nlme::Oxide), 5)
oxide$Source <- factor(oxide$Source)
oxide$z <- (3 * seq_len(nrow(oxide))) %% 7
ratings <- plain(InstEval)[1:1200, ]
ratings$service <- as.numeric(as.character(ratings$service))

models <- list(
  sleepstudy = list(Reaction ~ Days + (Days | Subject), plain(sleepstudy)),
  unbalanced_sleepstudy = list(Reaction ~ Days + (Days | Subject), every(plain(sleepstudy), 4)),
  penicillin = list(diameter ~ x + (1 | plate) + (1 | sample), every(penicillin, 6)),
  cake = list(angle ~ recipe + temp + (1 | recipe:replicate), plain(cake)),
  oats = list(yield ~ nitro + Variety + (1 | Block / Variety), oats),
  machines = list(score ~ Machine + (1 | Worker / Machine), every(plain(nlme::Machines), 7)),
  machines_unstructured = list(score ~ Machine + (Machine | Worker), plain(nlme::Machines)),
  oxide = list(Thickness ~ Source + z + (1 | Lot / Wafer), oxide),
  ratings = list(y ~ service + (1 | s) + (1 | d), ratings)
)

# "(Intercept)" is _cons, "recipeB" is B.recipe.
ours <- function(name, data) {
  for (variable in names(data)) {
    level <- sub(paste0("^", variable), "", name)
    if (is.factor(data[[variable]]) && level != name && level %in% levels(data[[variable]])) return(paste0(level, ".", variable))
  }
  sub("(Intercept)", "_cons", name, fixed = TRUE)
}
number <- function(x) sprintf("%.10g", x)
list_of <- function(x) paste0("[", paste(number(x), collapse = ", "), "]")

cat("# ", R.version.string, ", lme4 ", as.character(packageVersion("lme4")), ", pbkrtest ",
    as.character(packageVersion("pbkrtest")), ", lmerTest ", as.character(packageVersion("lmerTest")), "\n", sep = "")
for (name in names(models)) {
  fit <- suppressMessages(lmerTest::lmer(models[[name]][[1]], models[[name]][[2]], control = control))
  p <- length(fixef(fit))
  unit <- diag(p)
  joint <- unit[-1, , drop = FALSE]
  roger <- KRmodcomp(fit, joint)$stats
  single <- vapply(seq_len(p), function(i) get_Lb_ddf(fit, unit[i, ]), 0)
  satterthwaite <- vapply(seq_len(p), function(i) contest1D(fit, unit[i, ])[["df"]], 0)
  together <- contestMD(fit, joint)
  cat(sprintf("    \"%s\": Golden(\n", name))
  cat(sprintf("        names=[%s],\n", paste0("\"", vapply(names(fixef(fit)), ours, "", models[[name]][[2]]), "\"", collapse = ", ")))
  cat(sprintf("        kr_se=%s,\n", list_of(sqrt(diag(as.matrix(vcovAdj(fit)))))))
  cat(sprintf("        kr_df=%s,\n", list_of(single)))
  cat(sprintf("        kr_joint=%s,\n", list_of(c(roger$Fstat, roger$ddf))))
  cat(sprintf("        satterthwaite_df=%s,\n", list_of(satterthwaite)))
  cat(sprintf("        satterthwaite_joint=%s,\n", list_of(c(together[["F value"]], together[["DenDF"]]))))
  cat("    ),\n")
}
