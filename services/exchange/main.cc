#include "services/run/main_loop.h"

int main(int argc, char** argv) {
  rmail::run::Parts parts;
  parts.exchange = true;
  return rmail::run::ServiceMain(argc, argv, parts);
}
