# lme4: what its methods give of a fit and of several: coef, VarCorr, anova with its refits by ML, drop1. See common.R for how to
# run this.
source("common.R")
suppressPackageStartupMessages(library(lme4))

control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9, maxfun = 50000), calc.derivs = FALSE)

sleepstudy <- sample_data("sleepstudy")
penicillin <- sample_data("penicillin")
cake <- sample_data("cake", c("replicate", "recipe"))

models <- list(
  "sleepstudy" = list(
    large = quote(lmer(Reaction ~ Days + (Days | Subject), sleepstudy, control = control)),
    small = quote(lmer(Reaction ~ 1 + (1 | Subject), sleepstudy, control = control))
  ),
  "penicillin" = list(
    large = quote(lmer(diameter ~ x + (1 | plate) + (1 | sample), penicillin, control = control)),
    small = quote(lmer(diameter ~ x + (1 | plate), penicillin, control = control))
  ),
  "cake" = list(
    large = quote(lmer(angle ~ recipe + temp + (1 | recipe:replicate), cake, control = control)),
    small = quote(lmer(angle ~ temp + (1 | recipe:replicate), cake, control = control))
  )
)

plain <- function(names) sub("(Intercept)", "_cons", names, fixed = TRUE)
numbers <- function(values, names) setNames(as.list(as.numeric(values)), names)

criteria <- function(row) list(npar = row$npar, AIC = row$AIC, BIC = row$BIC, logLik = row$logLik)

figures <- lapply(models, function(pair) {
  large <- suppressMessages(eval(pair$large))
  small <- suppressMessages(eval(pair$small))
  part <- as.data.frame(VarCorr(large))
  rows <- trimws(paste(part$grp, ifelse(is.na(part$var1), "", plain(part$var1)), ifelse(is.na(part$var2), "", plain(part$var2))))
  compared <- suppressMessages(anova(small, large))
  deleted <- drop1(large, test = "Chisq")
  terms <- trimws(row.names(deleted))
  first <- lapply(coef(large), function(frame) numbers(frame[1, ], plain(names(frame))))
  list(
    call = deparse1(pair$large),
    small = deparse1(pair$small),
    vcov = numbers(part$vcov, rows),
    sdcor = numbers(part$sdcor, rows),
    coef = first,
    groups = lapply(coef(large), function(frame) row.names(frame)[1]),
    anova = list(
      small = criteria(compared[1, ]), large = criteria(compared[2, ]),
      statistic = compared$Chisq[2], df = compared$Df[2], pvalue = compared[["Pr(>Chisq)"]][2]
    ),
    drop1 = list(
      AIC = numbers(deleted$AIC, terms), df = numbers(deleted$npar[-1], terms[-1]),
      statistic = numbers(deleted$LRT[-1], terms[-1]), pvalue = numbers(deleted[["Pr(Chi)"]][-1], terms[-1])
    )
  )
})
write_golden(figures, "lme4_methods.R", "lme4")
