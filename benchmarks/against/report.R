# What the programs in R report, as JSON; sourced by the scripts beside it.
text <- function(x) paste0("\"", gsub("[\"\\\\]", "'", gsub("\n", " ", x)), "\"")
number <- function(x) ifelse(is.finite(x), sprintf("%.17g", x), "null")
array <- function(x) paste0("[", paste(x, collapse = ", "), "]")
object <- function(x) paste0("{", paste0("\"", names(x), "\": ", x, collapse = ", "), "}")
plain <- function(names) ifelse(names == "(Intercept)", "1", names)
square <- function(m, names) {
  m <- matrix(as.numeric(m), length(names))
  object(c(names = array(text(plain(names))), matrix = array(apply(m, 1, function(row) array(number(row))))))
}
# One data frame, or one for each value of a column.
frames <- function(data, by) if (nzchar(by)) split(data, data[[by]]) else list(data)
