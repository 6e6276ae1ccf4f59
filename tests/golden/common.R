# What the scripts here share: reading the samples, names as sparsemixed prints them, writing figures with their provenance.
#
# On Debian: apt-get install r-base-core r-cran-jsonlite r-cran-lme4 r-cran-nlme r-cran-lmertest r-cran-pbkrtest r-cran-clubsandwich
# `make golden` calls each script with the folder of the samples and the file to write.
invisible(Sys.setlocale("LC_COLLATE", "C"))

arguments <- commandArgs(trailingOnly = TRUE)
samples <- arguments[1]
destination <- arguments[2]
read <- list()

# One sample; its factors are named because a CSV file cannot say that numbers are labels.
sample_data <- function(name, factors = c()) {
  data <- read.csv(file.path(samples, paste0(name, ".csv")), stringsAsFactors = FALSE)
  sums <- lapply(data, function(x) if (is.numeric(x)) sum(x, na.rm = TRUE) else length(unique(x)))
  words <- readLines(file.path(samples, paste0(name, ".txt")))
  read[[name]] <<- list(what = words, rows = nrow(data), sums = sums)
  data[factors] <- lapply(data[factors], factor)
  data
}

# "(Intercept)" is _cons, "SexMale" Male.Sex, "armcd1:avisit2" 1.armcd#2.avisit, "age:SexMale" Male.Sex#c.age.
our_name <- function(name, data) {
  parts <- strsplit(name, ":", fixed = TRUE)[[1]]
  labels <- parts
  is_factor <- rep(FALSE, length(parts))
  for (variable in names(data)) {
    column <- data[[variable]]
    if (!is.factor(column) && !is.character(column)) next
    level <- ifelse(startsWith(parts, variable), substring(parts, nchar(variable) + 1), "")
    found <- level %in% as.character(unique(column))
    labels[found] <- paste0(level[found], ".", variable)
    is_factor <- is_factor | found
  }
  if (length(parts) > 1) labels[!is_factor] <- paste0("c.", labels[!is_factor])
  sub("(Intercept)", "_cons", paste(c(labels[is_factor], labels[!is_factor]), collapse = "#"), fixed = TRUE)
}

# Numbers under our names for coefficients.
by_coefficient <- function(values, names, data) {
  setNames(as.list(as.numeric(values)), vapply(names, our_name, "", data))
}

# Twelve digits are more than two programs share.
write_golden <- function(figures, script, packages) {
  versions <- lapply(setNames(packages, packages), function(package) packageDescription(package)$Version)
  provenance <- list(
    kind = "computed", script = script, program = R.version.string, packages = versions,
    date = format(Sys.Date()), samples = read[order(names(read))]
  )
  text <- jsonlite::toJSON(
    list(provenance = provenance, figures = figures),
    auto_unbox = TRUE, digits = I(12), pretty = TRUE
  )
  writeLines(text, destination)
}
