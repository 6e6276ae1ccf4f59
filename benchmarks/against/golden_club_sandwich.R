# The figures of tests/test_club_sandwich.py, by clubSandwich on nlme: Rscript benchmarks/against/golden_club_sandwich.R
#
# Prints the entries of the test's dictionary GOLDEN: cluster-robust standard errors and Satterthwaite degrees of freedom of
# every coefficient, and the HTZ test of all but the intercept, for CR0, CR2 and CR3.
suppressPackageStartupMessages({
  library(nlme)
  library(clubSandwich)
})

plain <- function(data) {
  data <- as.data.frame(data)
  factors <- vapply(data, is.factor, TRUE)
  data[factors] <- lapply(data[factors], function(x) factor(as.character(x)))
  data
}
every <- function(data, k) data[seq_len(nrow(data)) %% k != 0, ]
sleepstudy <- plain(lme4::sleepstudy)
oats <- plain(Oats)
orthodont <- every(plain(Orthodont), 7)
orthodont$visit <- (orthodont$age - 6) / 2
tight <- lmeControl(opt = "nlminb", tolerance = 1e-12, msTol = 1e-14, maxIter = 500, msMaxIter = 500)

models <- list(
  sleepstudy = lme(Reaction ~ Days, random = ~ Days | Subject, every(sleepstudy, 4), control = tight),
  orthodont = lme(distance ~ age * Sex, random = ~ 1 | Subject, orthodont, method = "ML", control = tight),
  orthodont_ar = gls(distance ~ age * Sex, correlation = corAR1(form = ~ visit | Subject), orthodont,
                     control = glsControl(opt = "nlminb", tolerance = 1e-12, msTol = 1e-14)),
  oats = lme(yield ~ nitro + Variety, random = ~ 1 | Block / Variety, every(oats, 5), control = tight)
)

ours <- function(name) {
  name <- gsub("SexMale", "Male.Sex", name, fixed = TRUE)
  name <- sub("^Variety(.*)$", "\\1.Variety", name)
  sub("age:Male.Sex", "Male.Sex#c.age", sub("(Intercept)", "_cons", name, fixed = TRUE), fixed = TRUE)
}
list_of <- function(x) paste0("[", paste(sprintf("%.10g", x), collapse = ", "), "]")

cat("# ", R.version.string, ", nlme ", as.character(packageVersion("nlme")), ", clubSandwich ",
    as.character(packageVersion("clubSandwich")), "\n", sep = "")
for (name in names(models)) {
  fit <- models[[name]]
  coefficients <- if (inherits(fit, "lme")) fixef(fit) else coef(fit)
  cat(sprintf("    \"%s\": {\n", name))
  cat(sprintf("        \"names\": [%s],\n", paste0("\"", vapply(names(coefficients), ours, ""), "\"", collapse = ", ")))
  for (type in c("CR0", "CR2", "CR3")) {
    V <- vcovCR(fit, type = type)
    single <- coef_test(fit, V, test = "Satterthwaite")
    joint <- Wald_test(fit, diag(length(coefficients))[-1, , drop = FALSE], V, test = "HTZ")
    cat(sprintf("        \"%s\": Golden(%s, %s, [%.10g, %.10g]),\n", tolower(type), list_of(single$SE),
                list_of(if (is.null(single$df_Satt)) single$df else single$df_Satt), joint$Fstat, joint$df_denom))
  }
  cat("    },\n")
}
