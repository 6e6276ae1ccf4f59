# clubSandwich on nlme: cluster-robust standard errors. See common.R for how to run this.
#
# CR0, CR2 and CR3 with Satterthwaite degrees of freedom of every coefficient, and the HTZ test of all but the constant.
source("common.R")
suppressPackageStartupMessages({
  library(nlme)
  library(clubSandwich)
})

sleepstudy_unbalanced <- sample_data("sleepstudy_unbalanced", "Subject")
orthodont_unbalanced <- sample_data("orthodont_unbalanced", c("Subject", "Sex"))
oats_unbalanced <- sample_data("oats_unbalanced", c("Block", "Variety"))
lme_control <- lmeControl(opt = "nlminb", tolerance = 1e-12, msTol = 1e-14, maxIter = 500, msMaxIter = 500)
gls_control <- glsControl(opt = "nlminb", tolerance = 1e-12, msTol = 1e-14)

models <- list(
  "sleepstudy" = quote(lme(Reaction ~ Days, sleepstudy_unbalanced, ~ Days | Subject)),
  "orthodont" = quote(lme(distance ~ age * Sex, orthodont_unbalanced, ~ 1 | Subject, method = "ML")),
  "orthodont ar 1" = quote(gls(distance ~ age * Sex, orthodont_unbalanced, corAR1(form = ~ visit | Subject))),
  "oats" = quote(lme(yield ~ nitro + Variety, oats_unbalanced, ~ 1 | Block/Variety))
)

figures <- lapply(models, function(call) {
  own <- call
  own$control <- as.name(paste0(as.character(call[[1]]), "_control"))
  fit <- eval(own)
  data <- get(as.character(call[[3]]))
  names <- names(if (inherits(fit, "lme")) fixef(fit) else coef(fit))
  joint <- diag(length(names))[-1, , drop = FALSE]
  one <- function(type) {
    V <- vcovCR(fit, type = type)
    single <- coef_test(fit, V, test = "Satterthwaite")
    together <- Wald_test(fit, joint, V, test = "HTZ")
    list(
      bse = by_coefficient(single$SE, names, data),
      df = by_coefficient(if (is.null(single$df_Satt)) single$df else single$df_Satt, names, data),
      joint = list(F = together$Fstat, df = nrow(joint), ddf = together$df_denom)
    )
  }
  list(call = deparse1(call), cr0 = one("CR0"), cr2 = one("CR2"), cr3 = one("CR3"))
})
write_golden(figures, "club_sandwich.R", c("nlme", "clubSandwich"))
