#include <algorithm>
#include <charconv>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/signals.h"
#include "vecload/server.h"

namespace vecload::cli {
namespace {

struct ServeFlags {
  LocalServerOptions server;
  std::string port_file;
  bool aws = false;
  bool with_stdin = false;
  // What single flags say of the model; they hold whatever order the flags come in.
  std::vector<std::function<void(ServiceModel*)>> overrides;
};

Result<double> ParseNumber(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  // Its range is the server's to check.
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return Status::InvalidArgument("\"" + std::string(text) + "\" is not a number");
}

// By rename, so that whoever waits for the file never reads half of it.
Status WritePortFile(const std::string& path, uint16_t port) {
  const std::string unfinished = path + ".tmp";
  FILE* file = fopen(unfinished.c_str(), "we");
  bool written = file != nullptr;
  if (file != nullptr) {
    written = fprintf(file, "%u\n", static_cast<unsigned>(port)) > 0;
    written = fclose(file) == 0 && written;
  }
  if (written && rename(unfinished.c_str(), path.c_str()) == 0) return Status::Ok();
  remove(unfinished.c_str());
  return Status::Io(fmt::format("--port-file {}: cannot be written", path));
}

void AddModelFlags(CLI::App* command, const std::shared_ptr<ServeFlags>& flags) {
  const std::string group = "Behave like the service";
  const auto add = [&](const std::string& name, const std::string& help, auto parse, auto set) {
    return command
        ->add_option_function<std::string>(
            name,
            [flags, name, parse, set](const std::string& text) {
              const auto value = parse(text);
              if (!value.ok()) throw CLI::ValidationError(name, value.status().message());
              flags->overrides.push_back(
                  [set, number = *value](auto* model) { set(model, number); });
            },
            help)
        ->group(group);
  };
  command
      ->add_option_function<std::string>(
          "--model", [flags](const std::string& name) { flags->aws = name == "aws"; },
          "aws: the service's limits, with a burst, and its latency; the flags below override")
      ->type_name("aws|none")
      ->check(OneOf({"aws", "none"}))
      ->group(group);
  add("--rate-vectors", "Vectors a second per index, answered by 429 beyond; default: unlimited",
      ParseRate, [](ServiceModel* model, double rate) { model->rate_vectors_per_s = rate; })
      ->type_name("N");
  add("--rate-requests", "Requests a second per index, answered by 429 beyond; default: unlimited",
      ParseRate, [](ServiceModel* model, double rate) { model->rate_requests_per_s = rate; })
      ->type_name("N");
  add("--burst-s", "So many seconds' worth of either pass at once after a rest; default: 1",
      ParseNumber, [](ServiceModel* model, double seconds) { model->burst_s = seconds; })
      ->type_name("S");
  add("--latency-ms", "Hold back answers of put, delete and query by this, and no more",
      ParseNumber,
      [](ServiceModel* model, double latency_ms) {
        model->latency_ms = latency_ms;
        model->latency_ms_per_mb = model->latency_spread = 0;
      })
      ->type_name("MS");
  AddParsed(command, "--faults", &flags->server.faults, &ServerFaults::Parse,
            "Failures made up for requests of vectors, as probabilities: "
            "seed=7,http503=0.01,http429=0.01,http500=0.01,reset=0.005,cut=0.005,slow=0.01,"
            "lost=0.005")
      ->type_name("SPEC")
      ->group(group);
  command
      ->add_flag("--control", flags->server.control,
                 "Answer /_vecload/...: reset, change all this while running, counters")
      ->group(group);
  command->add_option("--region", flags->server.region, "In the ARNs; default: us-east-1")
      ->type_name("REGION")
      ->group(group);
}

void AddAccessFlags(CLI::App* command, LocalServerOptions* server) {
  const std::string group = "Who may use it";
  // From the environment, a secret stands on no command line.
  CLI::Option* access_key =
      command
          ->add_option("--access-key", server->access_key,
                       "Requests must be signed by this key; also VECLOAD_SERVER_ACCESS_KEY")
          ->envname("VECLOAD_SERVER_ACCESS_KEY")
          ->type_name("KEY")
          ->group(group);
  CLI::Option* secret_key =
      command
          ->add_option("--secret-key", server->secret_key,
                       "Its secret; better in VECLOAD_SERVER_SECRET_KEY, where nobody sees it")
          ->envname("VECLOAD_SERVER_SECRET_KEY")
          ->type_name("SECRET")
          ->group(group);
  access_key->needs(secret_key);
  secret_key->needs(access_key);
  command
      ->add_flag_callback(
          "--no-dashboard", [server] { server->dashboard = false; },
          "No page at /_dashboard for browsers on this machine")
      ->group(group);
  command
      ->add_option("--credentials-file", server->credentials_file,
                   "Keys like ~/.aws/credentials; each profile is one")
      ->type_name("FILE")
      ->group(group);
  CLI::Option* certificate =
      command->add_option("--tls-cert", server->tls_certificate_file, "Speak HTTPS: PEM, the chain")
          ->type_name("FILE")
          ->group(group);
  CLI::Option* key = command->add_option("--tls-key", server->tls_key_file, "PEM, no passphrase")
                         ->type_name("FILE")
                         ->group(group);
  certificate->needs(key);
  key->needs(certificate);
}

int RunServe(const ServeFlags& flags) {
  HoldBackSignals();
  if (flags.with_stdin) StopAtEndOfStdin();
  LocalServerOptions options = flags.server;
  if (flags.aws) options.model = ServiceModel::Aws();
  for (const auto& apply : flags.overrides) apply(&options.model);
  const Result<std::unique_ptr<LocalServer>> server = LocalServer::Start(options);
  if (!server.ok()) return Fail("serve", server.status());
  if (!flags.port_file.empty()) {
    const Status written = WritePortFile(flags.port_file, (*server)->port());
    if (!written.ok()) return Fail("serve", written);
  }
  const std::string dashboard = (*server)->dashboard_url();
  if (!dashboard.empty()) fmt::print(stderr, "vecload: serve: dashboard at {}\n", dashboard);
  fmt::print("listening on {}\n", (*server)->url());
  fflush(stdout);
  WaitForSignal();
  (*server)->Stop();
  // A port that nobody listens on any more would send the next reader astray.
  if (!flags.port_file.empty()) remove(flags.port_file.c_str());
  return kExitOk;
}

}  // namespace

void AddServe(CLI::App* app, Command* chosen) {
  auto flags = std::make_shared<ServeFlags>();
  LocalServerOptions* server = &flags->server;
  CLI::App* command = app->add_subcommand("serve", "Run a local server that speaks S3 Vectors");
  command->add_option("--host", server->host, "Address to listen on; default: 127.0.0.1")
      ->type_name("HOST");
  command->add_option("--port", server->port, "Default: 0, any free one")->type_name("PORT");
  command
      ->add_option("--port-file", flags->port_file,
                   "Write the port there once the server is ready; removed at the end")
      ->type_name("FILE");
  command->add_flag(
      "--with-stdin", flags->with_stdin,
      "End when stdin does too: a program that starts this and dies leaves no server");
  CLI::Option* data_dir =
      command->add_option("--data-dir", server->data_dir, "Keep the data there")->type_name("DIR");
  command->add_flag("--ephemeral", server->ephemeral, "Keep nothing after the end")
      ->excludes(data_dir);
  AddModelFlags(command, flags);
  AddAccessFlags(command, server);
  command->footer(
      "Prints one line, `listening on URL`, once it is ready. Ends at SIGINT or SIGTERM.\n\n"
      "Example:\n"
      "  vecload serve --ephemeral --port 8090\n"
      "  AWS_ENDPOINT_URL_S3VECTORS=http://127.0.0.1:8090 vecload bucket list");
  command->callback([flags, chosen] {
    if (flags->server.data_dir.empty() && !flags->server.ephemeral) {
      throw CLI::RequiredError("--data-dir DIR or --ephemeral");
    }
    *chosen = {"serve", [flags] { return RunServe(*flags); }};
  });
}

}  // namespace vecload::cli
