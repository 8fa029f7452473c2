#include "cli/app.h"

int main(int argc, char** argv) { return vecload::cli::Run(argc, argv); }
