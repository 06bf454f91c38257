// What the sanitizers' runtimes ask a binary for. Compiled in rather than given by environment, so
// that a process that a test starts has it too.
//
// Debian's gRPC, Abseil and Protobuf are not instrumented: ThreadSanitizer doesn't see the locks
// and atomics inside them, and takes memory that they hand from one thread to another for a race.
// So a race is not reported when one of its two sides was called by gRPC or stands in its or
// Protobuf's inlined code. What the store's engine does on threads of its own is checked in full.

// The runtimes fix these names.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {

const char* __tsan_default_options() {
  return "halt_on_error=1:second_deadlock_stack=1:ignore_noninstrumented_modules=1"
         ":external_symbolizer_path=/usr/lib/llvm-19/bin/llvm-symbolizer";
}

const char* __tsan_default_suppressions() {
  return "race:libgrpc\n"
         "race:^grpc::\n"
         "race:^google::protobuf::\n";
}

const char* __asan_default_options() {
  return "detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1"
         ":external_symbolizer_path=/usr/lib/llvm-19/bin/llvm-symbolizer";
}

const char* __ubsan_default_options() {
  return "print_stacktrace=1"
         ":external_symbolizer_path=/usr/lib/llvm-19/bin/llvm-symbolizer";
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier)
