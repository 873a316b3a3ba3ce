// SPDX-License-Identifier: Apache-2.0
#include "base/signals.h"

#include <unistd.h>

#include <csignal>

#include "linformer/error.h"

namespace linformer {
namespace {

volatile std::sig_atomic_t seen_signal = 0;

extern "C" void remember_signal(int signal) {
  if (seen_signal != 0) ::_exit(128 + signal);
  seen_signal = signal;
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

void install_signal_handlers() {
  handle(SIGINT, remember_signal);
  handle(SIGTERM, remember_signal);
  handle(SIGHUP, SIG_IGN);
  ignore_broken_pipe();
}

void ignore_broken_pipe() { handle(SIGPIPE, SIG_IGN); }

int pending_signal() { return seen_signal; }

void throw_if_interrupted() {
  if (seen_signal != 0) throw Interrupted(seen_signal);
}

}  // namespace linformer
