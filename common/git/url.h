/*
 * url.h - URLs of remotes, and what may be secret in them. Anybody may include
 * it; it owns nothing.
 */
#ifndef GP_URL_H
#define GP_URL_H

/* A URL without what may be secret in it: user and password (https), password (ssh). Yours. */
char *gp_url_clean(const char *url);

/* Takes the credentials out of the URLs in git's words, in place: git itself leaves some of an odd one. */
void gp_url_hide_credentials(char *text);

#endif
