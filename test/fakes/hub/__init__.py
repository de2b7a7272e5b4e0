"""What the test forges have in common, so that each is only what is its own: serving HTTP and faults (serving, faults),
git over HTTP (githttp), repositories and the pull requests in them (gitrepo, repository), and what tests arrange
(arranging). A forge is a Service (serving) over a model built on repository."""
