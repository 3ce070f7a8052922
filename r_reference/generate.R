# Write the recorded results: what the functions of this folder return, with 17 digits
# and the version of R, for machines without R.
#
#   Rscript r_reference/generate.R [folder]
#
# from any directory; by default into the folder "recorded" beside this file.

here <- local({
  file <- grep("^--file=", commandArgs(trailingOnly = FALSE), value = TRUE)[1]
  if (is.na(file)) {
    stop("run `Rscript r_reference/generate.R [folder]`; source() hides its place.")
  }
  # Rscript hands on a space in a path as "~+~".
  dirname(normalizePath(gsub("~+~", " ", sub("^--file=", "", file), fixed = TRUE)))
})
source(file.path(here, "all.R"), chdir = TRUE)
json_strings <- environment(to_json)$json_strings

# R's own matrix product, not that of the BLAS it happens to be linked to: the last
# digit must not depend on the machine.
options(matprod = "internal")

write_record <- function(name, folder) {
  lines <- c(
    "{",
    paste0('"function": ', json_strings(name), ","),
    paste0('"r_version": ', json_strings(R.version.string), ","),
    '"generator": "r_reference/generate.R",',
    paste0('"value": ', to_json(do.call(name, list()), pretty = TRUE)),
    "}"
  )
  path <- file.path(folder, paste0(name, ".json"))
  connection <- file(path, "wb") # "wb": the same line ends on every system
  on.exit(close(connection))
  writeLines(lines, connection)
  path
}

folder <- commandArgs(trailingOnly = TRUE)
if (any(startsWith(folder, "-"))) {
  stop("usage: Rscript generate.R [folder]; got ", paste(folder, collapse = " "), ".")
}
if (length(folder) == 0) folder <- file.path(here, "recorded")
if (length(folder) > 1) stop("generate.R takes one folder; got ", length(folder), ".")
dir.create(folder, showWarnings = FALSE, recursive = TRUE)
for (name in c(
  "question_data", "posted_figures", "posted_printed", "question_loops",
  "question_matrix_forms", "question_kronecker"
)) {
  cat(write_record(name, folder), "\n", sep = "")
}
