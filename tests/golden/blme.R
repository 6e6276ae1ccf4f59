# blme: maxima of penalised likelihoods. See common.R for how to run this; r-cran-blme is needed besides.
#
# Scalar terms with the power prior of standard deviations themselves: by default blme's priors are of standard deviations over the
# residual one, and so are those of coefficients. Of matrices, and of priors with a rate, blme 1.0-5 beside lme4 1.1-31 does not reach the maxima of its own criterion.
source("common.R")
suppressPackageStartupMessages(library(blme))

dyestuff2 <- sample_data("dyestuff2", "Batch")
sleepstudy <- sample_data("sleepstudy", "Subject")
penicillin <- sample_data("penicillin_unbalanced", c("plate", "sample"))

models <- list(
  "dyestuff2" = quote(blmer(
    Yield ~ 1 + (1 | Batch), dyestuff2,
    cov.prior = gamma(shape = 2, rate = 0, posterior.scale = "sd", common.scale = FALSE)
  )),
  "dyestuff2_more" = quote(blmer(
    Yield ~ 1 + (1 | Batch), dyestuff2,
    cov.prior = gamma(shape = 2.5, rate = 0, posterior.scale = "sd", common.scale = FALSE)
  )),
  "penicillin" = quote(blmer(
    diameter ~ 1 + (1 | plate) + (1 | sample), penicillin,
    cov.prior = gamma(shape = 2, rate = 0, posterior.scale = "sd", common.scale = FALSE)
  )),
  "sleepstudy_normal" = quote(blmer(
    Reaction ~ Days + (1 | Subject), sleepstudy, REML = FALSE,
    cov.prior = NULL, fixef.prior = normal(cov = c(40000, 4), common.scale = FALSE)
  ))
)

figures <- lapply(models, function(call) {
  fit <- eval(call)
  table <- as.data.frame(VarCorr(fit))
  list(
    call = deparse1(call),
    variances = setNames(as.list(table$vcov), trimws(paste(table$grp, ifelse(is.na(table$var1), "", table$var1)))),
    fixef = as.list(fixef(fit)),
    se = as.list(sqrt(diag(as.matrix(vcov(fit)))))
  )
})
write_golden(figures, "blme.R", c("blme", "lme4"))
