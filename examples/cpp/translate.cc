// SPDX-License-Identifier: Apache-2.0
// Translates standard input line by line with a trained model: translate RUN < input.en > output.de
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "linformer/error.h"
#include "linformer/translator.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: translate RUN < TEXT > TEXT\n";
    return 2;
  }
  try {
    linformer::TranslatorSettings settings;
    settings.truncate_long = true;  // else a line that is too long for the model is an error
    linformer::Translator translator = linformer::Translator::load(argv[1], settings);
    std::vector<std::string> lines;
    for (std::string line; std::getline(std::cin, line);) lines.push_back(line);
    for (const std::string& line : translator.translate(lines)) std::cout << line << '\n';
    return std::cout.flush() ? 0 : 4;
  } catch (const linformer::Error& error) {
    std::cerr << "translate: " << error.what() << '\n';
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::cerr << "translate: " << error.what() << '\n';
    return 1;
  }
}
