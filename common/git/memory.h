/*
 * memory.h - what objects.c asks for before libgit2 is made ready, and nothing else. Owns nothing.
 */
#ifndef GP_GIT_MEMORY_H
#define GP_GIT_MEMORY_H

/* From now on libgit2 allocates with mem.h: if memory runs out, the program ends with 71. */
void gp_git_use_memory(void);

#endif
