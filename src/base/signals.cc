// SPDX-License-Identifier: Apache-2.0
#include "base/signals.h"

#include <unistd.h>

#include <csignal>

#include "base/fault.h"
#include "linformer/error.h"

namespace linformer {
namespace {

constexpr int kEndings[] = {SIGINT, SIGTERM, SIGUSR1};

volatile std::sig_atomic_t seen_signal = 0;

/// Batch systems send SIGUSR1 some time before SIGTERM: it means the same.
int exit_code_of(int signal) { return 128 + (signal == SIGUSR1 ? SIGTERM : signal); }

extern "C" void remember_signal(int signal) {
  if (seen_signal != 0) ::_exit(exit_code_of(signal));
  seen_signal = signal;
}

extern "C" void leave_at_once(int signal) {
  constexpr char kText[] = "linformer: error: stopped\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kText, sizeof(kText) - 1);
  ::_exit(exit_code_of(signal));
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  ::sigaction(signal, &action, nullptr);
}

void set_mask(int how) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : kEndings) sigaddset(&signals, signal);
  ::sigprocmask(how, &signals, nullptr);
}

void handle_all(void (*handler)(int)) {
  for (const int signal : kEndings) handle(signal, handler);
  set_mask(SIG_UNBLOCK);
}

}  // namespace

void hold_signals() { set_mask(SIG_BLOCK); }

void install_signal_handlers() {
  handle_all(remember_signal);
  handle(SIGHUP, SIG_IGN);
  ignore_failed_writes();
}

void leave_on_signals() { handle_all(leave_at_once); }

void ignore_failed_writes() {
  handle(SIGPIPE, SIG_IGN);
  handle(SIGXFSZ, SIG_IGN);
}

int pending_signal() { return seen_signal; }

void throw_if_interrupted() {
  fault_point("poll");
  if (seen_signal != 0) throw Interrupted(seen_signal);
}

}  // namespace linformer
