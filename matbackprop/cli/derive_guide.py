"""What `matbackprop derive` says to someone who typed no more than that."""

GUIDE = """\
matbackprop derive EXPR --wrt X --shape X:n,p ...

Derives the gradient of a scalar with respect to a matrix, in matrix form, and
checks it against numerical derivatives before it is printed.

Examples, to copy:

  matbackprop derive "norm2(X*b-y)^2" --wrt b --shape "X:n,p b:p y:n"

  matbackprop derive "S = X'*X/n; log(det(S)) + tr(inv(S)*C)" \\
      --wrt X --shape X:n,p --shape C:p,p --assume C:spd --emit steps

  matbackprop derive "sum(log(1 + exp(-y * (X %*% b)))) + lam * sum(b^2)" \\
      --notation r --wrt b --shape "X:n,p b:p y:n lam" -o logistic.R

Shapes:
  X:n,p   a matrix; sizes are names, numbers, or such as k*p
  b:p     a column
  lam     a scalar

Notation (that of matrixcalculus.org; --notation r reads base R instead):
  A*B  A'  A^2  s*A  A/s         products, transpose, power; s is a scalar
  A.*B  A./B  A.^2  exp(A) ...   entry by entry
  inv(A)  det(A)  logdet(A)  tr(A)  sum(A)  norm1(A)  norm2(A)
  ones(n)  eye(n)  diag(v)  diagvec(A)  kron(A, B)  vec(A)
  E = X*b - y; E'*E              definitions first, each ended by ;

More of it:
  --kind jacobian, --kind hessian       other derivatives
  --emit steps                          the derivation, line by line
  --emit numpy, r, latex, html, ...     code and pages; -o FILE writes a file
  --assume S:spd, --domain s:positive   what is known of a variable, and where
                                        its check points are drawn

All options: matbackprop derive --help
"""
