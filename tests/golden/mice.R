# mice and mitml: fits to six imputations combined by Rubin's rules, with and without degrees of freedom of complete data, and joint
# tests D1. See common.R for how to run this, and apt-get install r-cran-mice r-cran-mitml.
source("common.R")
suppressPackageStartupMessages({
  library(lme4)
  library(mice)
  library(mitml)
})

control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9, maxfun = 50000))

# lme4's search compares deviances, so that its place is only good to the root of their rounding, and the between variance and the
# degrees of freedom are ratios of small differences between fits. Newton's method on central differences of fourth order ends it.
polished <- function(formula, data, REML) {
  parts <- lFormula(formula, data, REML = REML)
  deviance <- do.call(mkLmerDevfun, parts)
  found <- optimizeLmer(deviance, control = control$optCtrl, optimizer = "bobyqa")
  slope <- function(f, at, i, h) {
    e <- replace(numeric(length(at)), i, h)
    (8 * (f(at + e) - f(at - e)) - (f(at + 2 * e) - f(at - 2 * e))) / (12 * h)
  }
  gradient <- function(at) vapply(seq_along(at), function(i) slope(deviance, at, i, 1e-3), 0)
  for (step in 1:4) {
    at <- found$par
    hessian <- vapply(seq_along(at), function(i) (gradient(at + replace(0 * at, i, 1e-4)) - gradient(at - replace(0 * at, i, 1e-4))) / 2e-4, at)
    found$par <- at - solve(matrix(hessian, length(at)), gradient(at))
  }
  stopifnot(max(abs(gradient(found$par))) < 1e-7)
  found$fval <- deviance(found$par)
  mkMerMod(environment(deviance), found, parts$reTrms, fr = parts$fr)
}
data <- sample_data("imputed", c("Subject"))

models <- list(
  intercepts = list(call = quote(polished(Reaction ~ Days + x + (1 | Subject), d, REML = FALSE))),
  slopes = list(call = quote(polished(Reaction ~ Days * x + (1 + Days | Subject), d, REML = TRUE)))
)
complete <- 40

pooled <- function(values, errors, names, df) {
  rows <- lapply(seq_along(names), function(i) {
    n <- if (is.finite(df)) df + 1 else Inf
    one <- pool.scalar(values[i, ], errors[i, ], n = n, k = 1)
    list(estimate = one$qbar, se = sqrt(one$t), within = one$ubar, between = one$b, rvi = one$r, df = one$df, fmi = one$fmi)
  })
  setNames(rows, names)
}

joint <- function(fits, which, df) {
  values <- sapply(fits, fixef)
  covariances <- array(sapply(fits, function(fit) as.matrix(vcov(fit))), c(nrow(values), nrow(values), length(fits)))
  rownames(values) <- paste0("b", seq_len(nrow(values)))
  found <- testConstraints(qhat = values, uhat = covariances, constraints = rownames(values)[which], method = "D1",
                           df.com = if (is.finite(df)) df else NULL)
  list(F = found$test[1], df = found$test[2], ddf = found$test[3], p = found$test[4], rvi = found$test[5])
}

figures <- lapply(models, function(model) {
  fits <- lapply(1:6, function(m) {
    d <- data[data$imp == m, ]
    eval(model$call)
  })
  values <- sapply(fits, fixef)
  errors <- sapply(fits, function(fit) diag(as.matrix(vcov(fit))))
  names <- vapply(rownames(values), our_name, "", data)
  list(
    call = deparse1(model$call),
    large = pooled(values, errors, names, Inf), small = pooled(values, errors, names, complete),
    joint = joint(fits, seq_len(nrow(values))[-1], Inf), joint_small = joint(fits, seq_len(nrow(values))[-1], complete),
    joint_three = joint(fits[1:3], 2:3, Inf)
  )
})
write_golden(figures, "mice.R", c("lme4", "mice", "mitml"))
