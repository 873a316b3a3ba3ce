// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace linformer {

/// First SIGINT or SIGTERM: remembered, to be polled. Second: the process leaves at once (exit
/// 130/143). SIGPIPE and SIGHUP are ignored, so that a closed stdout is an IoError. Call once, in a
/// main.
void install_signal_handlers();

/// SIGPIPE only, for verbs that have nothing to save: a signal ends them as usual.
void ignore_broken_pipe();

/// The signal that was seen, or 0.
int pending_signal();

/// Throws Interrupted when a signal was seen. Poll it inside long work.
void throw_if_interrupted();

}  // namespace linformer
