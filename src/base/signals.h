// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace linformer {

/// First SIGINT, SIGTERM or SIGUSR1: remembered, to be polled. Second: the process leaves at once
/// (exit 130, or 143 for the two others). SIGHUP is ignored. Call once, in a main.
void install_signal_handlers();

/// Lets the first of these signals end the process, with its line and exit code: for work that has
/// nothing to save and waits where nothing is polled.
void leave_on_signals();

/// Keeps these signals waiting, also across an exec, until install_signal_handlers() or
/// leave_on_signals(): for a program that is about to become another, which takes long to start.
void hold_signals();

/// Ignores SIGPIPE and SIGXFSZ, so that a closed stdout and a limit of the file size are an
/// IoError. All of it for verbs that have nothing to save: another signal ends them as usual.
void ignore_failed_writes();

/// The signal that was seen, or 0.
int pending_signal();

/// Throws Interrupted when a signal was seen. Poll it inside long work.
void throw_if_interrupted();

}  // namespace linformer
