# The figures of tests/test_against_nlme.py, by nlme: Rscript benchmarks/against/golden_nlme.R [fev_data.csv.gz]
#
# Prints the entries of the test's dictionary GOLDEN, parameters under the names that sparsemixed prints. nlme's log restricted
# likelihood has no term + 1/2 log|X'X|, as sparsemixed's has none, so its logLik() is printed as it is; `restricted` computes
# the criterion from its definition, and the script stops where gls() or lme() has another convention.
suppressPackageStartupMessages(library(nlme))

gls_control <- glsControl(maxIter = 500, msMaxIter = 1000, tolerance = 1e-12, msTol = 1e-14, returnObject = TRUE)
lme_control <- lmeControl(maxIter = 500, msMaxIter = 1000, tolerance = 1e-12, msTol = 1e-14, niterEM = 100, returnObject = TRUE)

restricted <- function(y, X, V) {
  W <- solve(V)
  information <- t(X) %*% W %*% X
  r <- y - X %*% solve(information, t(X) %*% W %*% y)
  logdet <- function(A) as.numeric(determinant(A)$modulus)
  -0.5 * ((length(y) - ncol(X)) * log(2 * pi) + logdet(V) + sum(r * (W %*% r)) + logdet(information))
}
local({
  data <- as.data.frame(Orthodont)
  data$Subject <- factor(as.character(data$Subject))
  X <- cbind(1, data$age)
  same <- outer(data$Subject, data$Subject, "==")
  fit <- gls(distance ~ age, data, corAR1(form = ~ 1 | Subject))
  i <- match(data$age, c(8, 10, 12, 14))
  phi <- coef(fit$modelStruct$corStruct, unconstrained = FALSE)
  value <- restricted(data$distance, X, fit$sigma^2 * same * phi^abs(outer(i, i, "-")))
  stopifnot(abs(value - as.numeric(logLik(fit))) < 1e-8)
  fit <- lme(distance ~ age, data, ~ 1 | Subject)
  V <- fit$sigma^2 * diag(nrow(data)) + as.numeric(getVarCov(fit)) * same
  stopifnot(abs(restricted(data$distance, X, V) - as.numeric(logLik(fit))) < 1e-8)
})

plain <- function(data) {
  data <- as.data.frame(data)
  factors <- vapply(data, is.factor, TRUE)
  data[factors] <- lapply(data[factors], function(x) factor(as.character(x)))
  data
}
within <- function(group) as.integer(ave(seq_along(group), group, FUN = seq_along))

ovary <- plain(Ovary)
ovary$t <- within(ovary$Mare)
ovary$s <- sin(2 * pi * ovary$Time)
ovary$c <- cos(2 * pi * ovary$Time)
orthodont <- plain(Orthodont)
orthodont$t <- within(orthodont$Subject)
weights <- plain(BodyWeight)
weights$t <- within(weights$Rat)
weights$Diet <- factor(as.character(weights$Diet))

# Groups of unequal sizes with gaps, by formulas that every language evaluates alike.
waves <- local({
  u <- function(k) { v <- 437.585453 * sin(12.9898 * k); 2 * (v - floor(v)) - 1 }
  rows <- list()
  for (g in 1:24) {
    error <- 0
    for (t in 1:9) {
      error <- 0.6 * error + (1 + 0.5 * (g %% 2)) * u(31 * g + t)
      if ((7 * g + 5 * t) %% 4 != 0 && t <= 5 + g %% 5) {
        x <- round(u(1000 + 17 * g * t), 4)
        mean <- 1 + 0.5 * x - 0.2 * (g %% 2) * t + 0.8 * u(5000 + g)
        moving <- u(9000 + 31 * g + t) + 0.3 * u(9000 + 31 * g + t - 1)
        rows[[length(rows) + 1]] <- data.frame(
          g = g, t = t, arm = g %% 2, x = x, y = round(mean + error, 4), z = round(mean + moving, 4)
        )
      }
    }
  }
  data <- do.call(rbind, rows)
  data$arm <- factor(data$arm)
  data
})

number <- function(x) sprintf("%.10g", x)
entries <- function(x) paste0("{", paste0("\"", names(x), "\": ", number(x), collapse = ", "), "}")
ours <- function(name, data) {
  parts <- strsplit(name, ":", fixed = TRUE)[[1]]
  for (variable in names(data)[vapply(data, is.factor, TRUE)]) {
    parts <- sub(paste0("^", variable, "(.+)$"), paste0("\\1.", variable), parts)
  }
  for (variable in names(data)) parts[parts == variable & length(parts) > 1] <- paste0("c.", variable)
  sub("(Intercept)", "_cons", paste(parts, collapse = "#"), fixed = TRUE)
}

# The parameters under the names that sparsemixed prints.
parameters <- function(fit) {
  s2 <- fit$sigma^2
  out <- c()
  if (inherits(fit, "lme")) out["var(_cons)"] <- as.numeric(getVarCov(fit))
  cor <- fit$modelStruct$corStruct
  var <- fit$modelStruct$varStruct
  sds <- if (is.null(var)) NULL else coef(var, unconstrained = FALSE, allCoef = TRUE)
  # nlme puts the groups in the order of the data.
  if (!is.null(sds)) {
    levels <- names(sds)
    sorted <- order(suppressWarnings(as.numeric(levels)), levels)
  }
  if (is.null(cor)) {
    found <- s2 * sds^2
    names(found) <- paste0(levels, ": var(e)")
    return(c(out, found[sorted]))
  }
  rho <- coef(cor, unconstrained = FALSE)
  if (inherits(cor, "corSymm")) {
    p <- length(sds)
    C <- diag(p)
    C[lower.tri(C)] <- rho
    C <- C + t(C) - diag(p)
    V <- s2 * C * outer(sds[sorted], sds[sorted])
    for (i in 1:p) out[paste0("var(e", levels[sorted][i], ")")] <- V[i, i]
    for (i in 1:(p - 1)) for (j in (i + 1):p) {
      out[paste0("cov(e", levels[sorted][i], ",e", levels[sorted][j], ")")] <- V[i, j]
    }
    return(out)
  }
  if (inherits(cor, "corCompSymm")) return(c(out, "var(e)" = s2, "cov(e)" = unname(s2 * rho)))
  if (inherits(cor, "corARMA")) {
    names(rho) <- sub("Theta", "theta", sub("Phi", "phi", names(rho)))
    if (length(rho) == 1 && names(rho) == "phi1") names(rho) <- "rho"
  } else {
    names(rho) <- "rho"
  }
  c(out, rho, "var(e)" = s2)
}

fitted <- function(model, data, method) {
  if (is.null(model$random)) {
    gls(model$fixed, data, model$correlation, model$weights, method = method, control = gls_control, na.action = na.omit)
  } else {
    lme(model$fixed, data, model$random, model$correlation, model$weights, method = method, control = lme_control)
  }
}

show <- function(name, method, llf, beta, found) {
  cat(sprintf("    (\"%s\", \"%s\"): Golden(\n", name, tolower(method)))
  cat(sprintf("        llf=%s,\n", sprintf("%.12g", llf)))
  if (length(beta)) cat(sprintf("        params=%s,\n", entries(beta)))
  cat(sprintf("        variances=%s,\n", entries(found)))
  cat("    ),\n")
}

wavy <- y ~ x + arm * t
moving <- z ~ x + arm * t
mares <- follicles ~ s + c
growth <- distance ~ age + Sex
rats <- weight ~ Diet * Time
models <- list(
  "ovary ar 1" = list("ovary", mares, corAR1(form = ~ t | Mare)),
  "ovary ar 2" = list("ovary", mares, corARMA(form = ~ t | Mare, p = 2)),
  "ovary ma 1" = list("ovary", mares, corARMA(form = ~ t | Mare, q = 1)),
  "ovary ma 2" = list("ovary", mares, corARMA(form = ~ t | Mare, q = 2)),
  "ovary ar 1, intercept" = list("ovary", mares, corAR1(form = ~ t | Mare), random = ~ 1 | Mare),
  "ovary ar 2, intercept" = list("ovary", mares, corARMA(form = ~ t | Mare, p = 2), random = ~ 1 | Mare),
  "ovary ma 1, intercept" = list("ovary", mares, corARMA(form = ~ t | Mare, q = 1), random = ~ 1 | Mare),
  "ovary ma 2, intercept" = list("ovary", mares, corARMA(form = ~ t | Mare, q = 2), random = ~ 1 | Mare),
  "ovary exponential" = list("ovary", mares, corCAR1(0.8, form = ~ Time | Mare)),
  "orthodont exchangeable" = list("orthodont", growth, corCompSymm(form = ~ 1 | Subject)),
  "orthodont ar 1" = list("orthodont", growth, corAR1(form = ~ t | Subject)),
  "orthodont unstructured" = list("orthodont", growth, corSymm(form = ~ t | Subject), varIdent(form = ~ 1 | age)),
  "orthodont independent" = list("orthodont", growth, NULL, varIdent(form = ~ 1 | Sex)),
  "orthodont independent, intercept" = list("orthodont", growth, NULL, varIdent(form = ~ 1 | Sex), random = ~ 1 | Subject),
  "rats exponential" = list("weights", rats, corCAR1(0.9, form = ~ Time | Rat)),
  "rats exponential, intercept" = list("weights", rats, corCAR1(0.9, form = ~ Time | Rat), random = ~ 1 | Rat),
  "rats independent, intercept" = list("weights", rats, NULL, varIdent(form = ~ 1 | Diet), random = ~ 1 | Rat),
  "waves ar 1" = list("waves", wavy, corAR1(form = ~ t | g)),
  "waves ar 2" = list("waves", wavy, corARMA(form = ~ t | g, p = 2)),
  "waves ma 1" = list("waves", moving, corARMA(form = ~ t | g, q = 1)),
  "waves ma 2" = list("waves", moving, corARMA(form = ~ t | g, q = 2)),
  "waves exchangeable" = list("waves", wavy, corCompSymm(form = ~ 1 | g)),
  "waves exponential" = list("waves", wavy, corCAR1(form = ~ t | g)),
  "waves ar 1, intercept" = list("waves", wavy, corAR1(form = ~ t | g), random = ~ 1 | g),
  "waves ma 1, intercept" = list("waves", moving, corARMA(form = ~ t | g, q = 1), random = ~ 1 | g),
  "waves independent, intercept" = list("waves", wavy, NULL, varIdent(form = ~ 1 | arm), random = ~ 1 | g)
)
halves <- list(
  "orthodont ar 1, by" = list("orthodont", distance ~ age, corAR1(form = ~ t | Subject), by = "Sex"),
  "orthodont unstructured, by" = list(
    "orthodont", distance ~ age, corSymm(form = ~ t | Subject), varIdent(form = ~ 1 | age), by = "Sex"
  ),
  "waves ar 1, by" = list("waves", y ~ x, corAR1(form = ~ t | g), by = "arm"),
  "waves ar 2, by" = list("waves", y ~ x, corARMA(form = ~ t | g, p = 2), by = "arm"),
  "waves exchangeable, by" = list("waves", y ~ x, corCompSymm(form = ~ 1 | g), by = "arm"),
  "waves exponential, by" = list("waves", y ~ x, corCAR1(form = ~ t | g), by = "arm")
)
fev <- commandArgs(trailingOnly = TRUE)
if (length(fev)) {
  fev_data <- read.csv(fev[1])
  # The visits' numbers twice: as levels of the fixed part, and as the positions that corSymm() needs.
  fev_data$visit <- fev_data$avisit
  fev_data <- fev_data[!is.na(fev_data$fev1), ]
  for (variable in c("race", "sex", "armcd", "avisit")) fev_data[[variable]] <- factor(fev_data[[variable]])
  models[["fev unstructured"]] <- list(
    "fev_data", fev1 ~ race + sex + armcd * avisit, corSymm(form = ~ visit | usubjid), varIdent(form = ~ 1 | visit)
  )
}

cat("# ", R.version.string, ", nlme ", as.character(packageVersion("nlme")), "\n", sep = "")
parts <- function(model) {
  is_weights <- vapply(model, inherits, TRUE, "varFunc")
  list(fixed = model[[2]], correlation = model[[3]], weights = if (any(is_weights)) model[[which(is_weights)]], random = model$random)
}
for (name in names(models)) {
  data <- get(models[[name]][[1]])
  for (method in c("ML", "REML")) {
    fit <- fitted(parts(models[[name]]), data, method)
    beta <- if (inherits(fit, "lme")) fixef(fit) else coef(fit)
    names(beta) <- vapply(names(beta), ours, "", data)
    show(name, method, as.numeric(logLik(fit)), beta, parameters(fit))
  }
}
# by(): with coefficients of its own in every level, the likelihood is the product of the levels' own fits.
for (name in names(halves)) {
  model <- halves[[name]]
  data <- get(model[[1]])
  by <- data[[model$by]]
  for (method in c("ML", "REML")) {
    fits <- lapply(levels(by), function(level) fitted(parts(model), data[by == level, ], method))
    found <- unlist(lapply(seq_along(fits), function(k) {
      own <- parameters(fits[[k]])
      names(own) <- paste0(levels(by)[k], ": ", names(own))
      own
    }))
    show(name, method, sum(vapply(fits, function(fit) as.numeric(logLik(fit)), 0)), c(), found)
  }
}
