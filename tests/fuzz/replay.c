/* Runs one fuzz harness over its corpus, tests/fuzz/corpus/<harness>/, as a plain program: the harness's name is the
 * program's own. From the top of the tree. Exit: 0 when every file ran (a fault aborts), 1 when there is no corpus. */

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static int replay_file(const char *path)
{
    struct stat st;
    FILE *file = fopen(path, "rb");

    if (file == NULL || fstat(fileno(file), &st) != 0) {
        perror(path);
        return -1;
    }
    /* Exactly as large as the file, so that AddressSanitizer sees one byte too far; malloc(0) may be NULL. */
    uint8_t *data = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);
    size_t bytes = data != NULL ? fread(data, 1, (size_t)st.st_size, file) : 0;
    fclose(file);
    printf("%s\n", path);
    fflush(stdout); /* the last line names the file that aborts */
    LLVMFuzzerTestOneInput(data, bytes);
    free(data);
    return 0;
}

int main(void)
{
    char path[4096];
    int files = 0, failed = 0;

    snprintf(path, sizeof(path), "tests/fuzz/corpus/%s", program_invocation_short_name);
    DIR *folder = opendir(path);
    if (folder == NULL) {
        perror(path);
        return 1;
    }
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "tests/fuzz/corpus/%s/%s", program_invocation_short_name, entry->d_name);
        failed |= replay_file(path) != 0;
        files++;
    }
    closedir(folder);
    printf("%d files\n", files);
    return failed || files == 0;
}
