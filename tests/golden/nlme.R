# nlme: residual structures, with and without a random intercept. See common.R for how to run this.
#
# Tolerances are so small that both gls() and lme() stop only where nothing moves. nlme's log restricted likelihood has no term
# + 1/2 log|X'X|, as sparsemixed's has none, so its logLik() is recorded as it is; `restricted` computes the criterion from its
# definition, and the script stops where gls() or lme() has another convention.
source("common.R")
suppressPackageStartupMessages(library(nlme))

gls_control <- glsControl(maxIter = 500, msMaxIter = 1000, tolerance = 1e-12, msTol = 1e-14, returnObject = TRUE)
lme_control <- lmeControl(maxIter = 500, msMaxIter = 1000, tolerance = 1e-12, msTol = 1e-14, niterEM = 100, returnObject = TRUE)

ovary <- sample_data("ovary", "Mare")
orthodont <- sample_data("orthodont", c("Subject", "Sex"))
rats <- sample_data("rats", c("Rat", "Diet"))
waves <- sample_data("waves", "arm")
oats <- sample_data("oats", c("Block", "Variety", "nitro"))
# The visits' numbers twice: as levels of the fixed part, and as the positions that corSymm() needs.
fev <- sample_data("fev", c("race", "sex", "armcd"))
fev$visit <- fev$avisit
fev$avisit <- factor(fev$avisit)
fev <- fev[!is.na(fev$fev1), ]

restricted <- function(y, X, V) {
  W <- solve(V)
  information <- t(X) %*% W %*% X
  r <- y - X %*% solve(information, t(X) %*% W %*% y)
  logdet <- function(A) as.numeric(determinant(A)$modulus)
  -0.5 * ((length(y) - ncol(X)) * log(2 * pi) + logdet(V) + sum(r * (W %*% r)) + logdet(information))
}
local({
  X <- cbind(1, orthodont$age)
  same <- outer(orthodont$Subject, orthodont$Subject, "==")
  fit <- gls(distance ~ age, orthodont, corAR1(form = ~ 1 | Subject))
  phi <- coef(fit$modelStruct$corStruct, unconstrained = FALSE)
  value <- restricted(orthodont$distance, X, fit$sigma^2 * same * phi^abs(outer(orthodont$visit, orthodont$visit, "-")))
  stopifnot(abs(value - as.numeric(logLik(fit))) < 1e-8)
  fit <- lme(distance ~ age, orthodont, ~ 1 | Subject)
  V <- fit$sigma^2 * diag(nrow(orthodont)) + as.numeric(getVarCov(fit)) * same
  stopifnot(abs(restricted(orthodont$distance, X, V) - as.numeric(logLik(fit))) < 1e-8)
})

models <- list(
  "ovary ar 1" = quote(gls(follicles ~ s + c, ovary, corAR1(form = ~ t | Mare))),
  "ovary ar 2" = quote(gls(follicles ~ s + c, ovary, corARMA(form = ~ t | Mare, p = 2))),
  "ovary ma 1" = quote(gls(follicles ~ s + c, ovary, corARMA(form = ~ t | Mare, q = 1))),
  "ovary ma 2" = quote(gls(follicles ~ s + c, ovary, corARMA(form = ~ t | Mare, q = 2))),
  "ovary ar 1, intercept" = quote(lme(follicles ~ s + c, ovary, ~ 1 | Mare, corAR1(form = ~ t | Mare))),
  "ovary ar 2, intercept" = quote(lme(follicles ~ s + c, ovary, ~ 1 | Mare, corARMA(form = ~ t | Mare, p = 2))),
  "ovary ma 1, intercept" = quote(lme(follicles ~ s + c, ovary, ~ 1 | Mare, corARMA(form = ~ t | Mare, q = 1))),
  "ovary ma 2, intercept" = quote(lme(follicles ~ s + c, ovary, ~ 1 | Mare, corARMA(form = ~ t | Mare, q = 2))),
  "ovary exponential" = quote(gls(follicles ~ s + c, ovary, corCAR1(0.8, form = ~ Time | Mare))),
  "orthodont exchangeable" = quote(gls(distance ~ age + Sex, orthodont, corCompSymm(form = ~ 1 | Subject))),
  "orthodont ar 1" = quote(gls(distance ~ age + Sex, orthodont, corAR1(form = ~ visit | Subject))),
  "orthodont unstructured" = quote(
    gls(distance ~ age + Sex, orthodont, corSymm(form = ~ visit | Subject), varIdent(form = ~ 1 | age))
  ),
  "orthodont independent" = quote(gls(distance ~ age + Sex, orthodont, weights = varIdent(form = ~ 1 | Sex))),
  "orthodont independent, intercept" = quote(
    lme(distance ~ age + Sex, orthodont, ~ 1 | Subject, weights = varIdent(form = ~ 1 | Sex))
  ),
  "rats exponential" = quote(gls(weight ~ Diet * Time, rats, corCAR1(0.9, form = ~ Time | Rat))),
  "rats exponential, intercept" = quote(lme(weight ~ Diet * Time, rats, ~ 1 | Rat, corCAR1(0.9, form = ~ Time | Rat))),
  "rats independent, intercept" = quote(lme(weight ~ Diet * Time, rats, ~ 1 | Rat, weights = varIdent(form = ~ 1 | Diet))),
  "waves ar 1" = quote(gls(y ~ x + arm * t, waves, corAR1(form = ~ t | g))),
  "waves ar 2" = quote(gls(y ~ x + arm * t, waves, corARMA(form = ~ t | g, p = 2))),
  "waves ma 1" = quote(gls(z ~ x + arm * t, waves, corARMA(form = ~ t | g, q = 1))),
  "waves ma 2" = quote(gls(z ~ x + arm * t, waves, corARMA(form = ~ t | g, q = 2))),
  "waves exchangeable" = quote(gls(y ~ x + arm * t, waves, corCompSymm(form = ~ 1 | g))),
  "waves exponential" = quote(gls(y ~ x + arm * t, waves, corCAR1(form = ~ t | g))),
  "waves ar 1, intercept" = quote(lme(y ~ x + arm * t, waves, ~ 1 | g, corAR1(form = ~ t | g))),
  "waves ma 1, intercept" = quote(lme(z ~ x + arm * t, waves, ~ 1 | g, corARMA(form = ~ t | g, q = 1))),
  "waves independent, intercept" = quote(lme(y ~ x + arm * t, waves, ~ 1 | g, weights = varIdent(form = ~ 1 | arm))),
  "fev unstructured" = quote(
    gls(fev1 ~ race + sex + armcd * avisit, fev, corSymm(form = ~ visit | usubjid), varIdent(form = ~ 1 | visit))
  )
)
# nlme knows no by(): with coefficients of its own in every level, the likelihood is the product of the levels' own fits.
by_level <- list(
  "orthodont ar 1, by" = list("Sex", quote(gls(distance ~ age, orthodont, corAR1(form = ~ visit | Subject)))),
  "orthodont unstructured, by" = list(
    "Sex", quote(gls(distance ~ age, orthodont, corSymm(form = ~ visit | Subject), varIdent(form = ~ 1 | age)))
  ),
  "waves ar 1, by" = list("arm", quote(gls(y ~ x, waves, corAR1(form = ~ t | g)))),
  "waves ar 2, by" = list("arm", quote(gls(y ~ x, waves, corARMA(form = ~ t | g, p = 2)))),
  "waves exchangeable, by" = list("arm", quote(gls(y ~ x, waves, corCompSymm(form = ~ 1 | g)))),
  "waves exponential, by" = list("arm", quote(gls(y ~ x, waves, corCAR1(form = ~ t | g))))
)

fitted_by <- function(call, method, data) {
  call[[3]] <- data
  call$method <- method
  call$control <- as.name(paste0(as.character(call[[1]]), "_control"))
  eval(call)
}

# The standard deviations of varIdent's levels; nlme has the levels in the order of the data, we have them sorted.
deviations <- function(fit) {
  ratio <- coef(fit$modelStruct$varStruct, unconstrained = FALSE, allCoef = TRUE)
  fit$sigma * ratio[order(suppressWarnings(as.numeric(names(ratio))), names(ratio))]
}

covariances <- function(fit, rho) {
  sd <- deviations(fit)
  C <- diag(length(sd))
  C[lower.tri(C)] <- rho
  V <- (C + t(C) - diag(length(sd))) * outer(sd, sd)
  out <- setNames(diag(V), paste0("var(e", names(sd), ")"))
  pairs <- which(lower.tri(V), arr.ind = TRUE)
  c(out, setNames(V[lower.tri(V)], paste0("cov(e", names(sd)[pairs[, 2]], ",e", names(sd)[pairs[, 1]], ")")))
}

# The parameters of the errors under the names that sparsemixed prints.
errors <- function(fit) {
  s2 <- fit$sigma^2
  structure <- fit$modelStruct$corStruct
  if (is.null(structure)) {
    sd <- deviations(fit)
    return(setNames(sd^2, paste0(names(sd), ": var(e)")))
  }
  rho <- coef(structure, unconstrained = FALSE)
  if (inherits(structure, "corSymm")) return(covariances(fit, rho))
  if (inherits(structure, "corCompSymm")) return(c("var(e)" = s2, "cov(e)" = unname(s2 * rho)))
  names(rho) <- if (inherits(structure, "corARMA")) sub("Theta", "theta", sub("Phi", "phi", names(rho))) else "rho"
  if (length(rho) == 1) names(rho) <- sub("phi1", "rho", names(rho))
  c(rho, "var(e)" = s2)
}

parameters <- function(fit) c(if (inherits(fit, "lme")) c("var(_cons)" = as.numeric(getVarCov(fit))), errors(fit))

figures <- lapply(models, function(call) {
  data <- get(as.character(call[[3]]))
  one <- function(method) {
    fit <- fitted_by(call, method, call[[3]])
    beta <- if (inherits(fit, "lme")) fixef(fit) else coef(fit)
    list(
      llf = as.numeric(logLik(fit)),
      params = by_coefficient(beta, names(beta), data),
      variances = as.list(parameters(fit))
    )
  }
  list(call = deparse1(call), ml = one("ML"), reml = one("REML"))
})
levelwise <- lapply(by_level, function(model) {
  call <- model[[2]]
  data <- get(as.character(call[[3]]))
  by <- data[[model[[1]]]]
  one <- function(method) {
    fits <- lapply(levels(by), function(level) fitted_by(call, method, data[by == level, ]))
    found <- lapply(fits, parameters)
    for (k in seq_along(found)) names(found[[k]]) <- paste0(levels(by)[k], ": ", names(found[[k]]))
    list(llf = sum(vapply(fits, function(fit) as.numeric(logLik(fit)), 0)), variances = as.list(unlist(found)))
  }
  list(call = paste("for each", paste0(model[[1]], ":"), deparse1(call)), ml = one("ML"), reml = one("REML"))
})
# Degrees of freedom between and within groups, as Pinheiro & Bates (2000, section 1.6.1) print them for the split-plot.
split_plot <- quote(lme(yield ~ nitro + Variety, oats, ~ 1 | Block/Variety))
degrees <- list("oats between and within" = list(
  call = deparse1(split_plot), df = by_coefficient(eval(split_plot)$fixDF$X, names(fixef(eval(split_plot))), oats)
))
write_golden(c(figures, levelwise, degrees), "nlme.R", "nlme")
