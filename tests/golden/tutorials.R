# lme4: formulas as public tutorials have them, on simulated data with their names. See common.R for how to run this.
source("common.R")
suppressPackageStartupMessages({library(lme4); library(splines)})

control <- lmerControl(
  optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9, maxfun = 100000), calc.derivs = FALSE, check.conv.singular = "ignore"
)

magnusson <- "K. Magnusson, Using R and lme/lmer to fit different two- and three-level longitudinal models, rpsychologist.com/r-guide-longitudinal-lme-lmer"
winter <- "B. Winter, A very basic tutorial for performing linear mixed effects analyses, bodowinter.com/tutorial/bw_LME_tutorial2.pdf"
clark <- "M. Clark, Mixed Models with R, m-clark.github.io/mixed-models-with-R"
bolker <- "B. Bolker and others, GLMM FAQ, bbolker.github.io/mixedmodels-misc/glmmFAQ.html"
dragon <- "G. K. Hajduk, Introduction to linear mixed models, ourcodingclub.github.io/tutorials/mixed-models"
smeets <- "L. Smeets and R. van de Schoot, LME4 tutorial: popularity data, rensvandeschoot.com/tutorials/lme4"

growth <- sample_data("growth")
blocks <- sample_data("blocks", "block")

tutorials <- list(
  list("y ~ 1 + (1 | subjects)", "growth", magnusson),
  list("y ~ time + (time | subjects)", "growth", magnusson),
  list("y ~ time * tx + (time | subjects)", "growth", magnusson),
  list("y ~ time * tx + (1 | subjects)", "growth", magnusson),
  list("y ~ time * tx + ( 0 + time | subjects)", "growth", magnusson),
  list("y ~ time * tx + (time || subjects)", "growth", magnusson),
  list("y ~ time * tx + (1 | subjects) + (0 + time | subjects)", "growth", magnusson),
  list("y ~ time * tx + (time | therapist/subjects)", "growth", magnusson),
  list("y ~ time * tx + (time | therapist:subjects) + (time | therapist)", "growth", magnusson),
  list("y ~ time * tx + (time | therapist:subjects) + (time * tx || therapist)", "growth", magnusson),
  list(paste(
    "y ~ time*tx + (time | subjects:therapist) + (1 | therapist) + (0 + tx | therapist) + (0 + time | therapist)",
    "+ (0 + time:tx | therapist)"
  ), "growth", magnusson),
  list("y ~ time * tx + (time | therapist:subjects) + (time | therapist) + (0 + tx + time:tx | therapist)", "growth", magnusson),
  list("y ~ time * tx + (time | therapist:subjects) + (time * tx | therapist)", "growth", magnusson),
  list(paste(
    "y ~ time * tx + (1 | therapist:subjects) + (0 + time | therapist:subjects) + (0 + time:tx | therapist)",
    "+ (0 + tx | therapist)"
  ), "growth", magnusson),
  list("y ~ (time + I(time^2)) * tx + (time + I(time^2) | subjects)", "growth", magnusson),
  list("y ~ poly(time, 2, raw = TRUE) * tx + (poly(time, 2, raw = TRUE) | subjects)", "growth", magnusson),
  list("y ~ poly(time, 2) * tx + (poly(time, 2) | subjects)", "growth", magnusson),
  list("frequency ~ attitude + (1|subject) + (1|scenario)", "politeness", winter),
  list("frequency ~ attitude + gender + (1|subject) + (1|scenario)", "politeness", winter),
  list("frequency ~ attitude + gender + (1+attitude|subject) + (1+attitude|scenario)", "politeness", winter),
  list("gpa ~ occasion + (1 | student)", "gpa", clark),
  list("gpa ~ occasion + (1 + occasion | student)", "gpa", clark),
  list("achievement ~ sex + ses + (1|primary_school_id) + (1|secondary_school_id)", "pupils", clark),
  list(
    "stress ~ age  + gender + experience + treatment + wardtype + hospsize + (1|hospital) + (1|hospital:ward)", "nurses", clark
  ),
  list("testScore ~ bodyLength2 + (1|mountainRange) + (1|sample)", "dragons", dragon),
  list("testScore ~ bodyLength2 + (1 + bodyLength2|mountainRange/site)", "dragons", dragon),
  list("popular ~ 1 + (1|class)", "popularity", smeets),
  list("popular ~ 1 + sex + extrav + texp + extrav:texp + (1 + extrav | class)", "popularity", smeets),
  list("y ~ x*site+(x|site:block)", "blocks", bolker),
  list("y ~ site+(1|site:block)", "blocks", bolker),
  list("y ~ x1 + x2 + (x1|site)+(x2|block)", "blocks", bolker),
  list("Reaction ~ Days + (Days|Subject)", "sleepstudy", "lme4, ?lmer"),
  list("Reaction ~ Days + (1|Subject) + (0+Days|Subject)", "sleepstudy", "lme4, ?lmer"),
  list('distance ~ age + (age|Subject) + (0+dummy(Sex, "Female")|Subject)', "orthodont", "lme4, ?dummy"),
  list("angle ~ recipe + temp        + (1|recipe:replicate)", "cake", "lme4, ?cake"),
  list("strength ~ (1|batch) + (1|sample)", "pastes", "lme4, ?Pastes"),
  list("strength ~ (1|batch/cask)", "pastes", "lme4, ?Pastes"),
  list("diameter ~ 1 + (1|plate) + (1|sample)", "penicillin", "D. Bates, lMMwR, lme4.r-forge.r-project.org/lMMwR"),
  list("Informed.liking ~ Gender+Information+Product +(1|Consumer)", "ham", "lmerTest, ?lmer"),
  list(
    "Informed.liking ~ Product*Information+ (1|Consumer) + (1|Product:Consumer) + (1|Information:Consumer)", "ham", "lmerTest, ?step"
  ),
  list("Accuracy ~ (ot1+ot2)*TP + (ot1+ot2 | Subject)", "word_learning", "D. Mirman, Growth curve analysis, danmirman.org/gca"),
  list("outcome ~ poly(time, 2) + (poly(time, 2) | id)", "diary", "stats.stackexchange.com/questions/533412"),
  list("log(RT) ~ ind_surp + (1|WorkerId)", "reading_times", "a public analysis of reading times"),
  list("log(RT) ~ scale(trial) + as.numeric(pair) + condition+(1|subj)", "reading_times", "a public analysis of response times"),
  list("sqrt(PO4_NF) ~ FT + (1|Plot)", "soils", "a public analysis of soils"),
  list("log(VLthick) ~ age.grp * time + (1 | participant)", "muscles", "a public analysis of muscles"),
  list("scale(all.dur) ~ scale(max.d) + (scale(max.d)|sealID)", "dives", "a public analysis of dives"),
  list("bmi ~ ns(age, 4) + (age | id)", "children", "A. Elhakeem, Natural spline LME models with lme4, longitudinalmodelling.github.io"),
  list("bmi ~ ns(age, 4)* sex + (age | id )", "children", "A. Elhakeem, Natural spline LME models with lme4, longitudinalmodelling.github.io")
)
for (name in setdiff(unique(vapply(tutorials, function(one) one[[2]], "")), c("growth", "blocks"))) {
  assign(name, sample_data(name))
}

figures <- lapply(tutorials, function(one) {
  fit <- function(reml) {
    suppressWarnings(suppressMessages(lmer(as.formula(one[[1]]), get(one[[2]]), REML = reml, control = control)))
  }
  ml <- fit(FALSE)
  list(
    call = one[[1]], data = one[[2]], source = one[[3]], ml = as.numeric(logLik(ml)), reml = as.numeric(logLik(fit(TRUE))),
    singular = isSingular(ml), params = setNames(as.list(unname(fixef(ml))), names(fixef(ml)))
  )
})
names(figures) <- vapply(tutorials, function(one) one[[1]], "")
write_golden(figures, "tutorials.R", c("lme4", "splines"))
