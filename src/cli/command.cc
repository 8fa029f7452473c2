#include "cli/command.h"

#include <cstdio>

#include <fmt/core.h>

#include "cli/exit_code.h"

namespace vecload::cli {

void AddClientFlags(CLI::App* command, ClientOptions* options) {
  const std::string group = "AWS";
  command
      ->add_option("--endpoint-url", options->endpoint_url,
                   "Where S3 Vectors answers; default: AWS_ENDPOINT_URL_S3VECTORS, "
                   "AWS_ENDPOINT_URL, the profile, then the region's own")
      ->type_name("URL")
      ->group(group);
  command->add_option("--region", options->region, "Default: AWS_REGION, then the profile's")
      ->type_name("REGION")
      ->group(group);
  command->add_option("--profile", options->profile, "Default: AWS_PROFILE")
      ->type_name("NAME")
      ->group(group);
}

void AddOutputFlag(CLI::App* command, OutputFormat* format) {
  AddChoice(command, "--output", format,
            {{"text", OutputFormat::kText}, {"json", OutputFormat::kJson}},
            "Form of the result on stdout: text (default) or json")
      ->type_name("FORMAT");
}

void AddKeyColumnFlag(CLI::App* command, const std::string& group, SourceOptions* options) {
  command->add_option("--key-column", options->key_column, "Default: the one candidate")
      ->type_name("COLUMN")
      ->group(group);
}

void AddSourceS3Flags(CLI::App* command, const std::string& group, SourceOptions* options) {
  command->add_option("--source-profile", options->s3_profile, "AWS profile for s3:// sources")
      ->type_name("NAME")
      ->group(group);
  command->add_option("--source-region", options->s3_region, "AWS region of s3:// sources")
      ->type_name("REGION")
      ->group(group);
}

void AddSourceOptions(CLI::App* command, const std::string& group,
                      std::vector<std::string>* sources, SourceOptions* options) {
  command
      ->add_option("SOURCE", *sources,
                   "Parquet or Arrow IPC: files, globs, directories, s3://BUCKET/PREFIX")
      ->required()
      ->type_name("");
  AddKeyColumnFlag(command, group, options);
  command->add_option("--vector-column", options->vector_column, "Default: the one candidate")
      ->type_name("COLUMN")
      ->group(group);
  CLI::Option* columns =
      AddList(command, "--metadata-columns", &options->metadata_columns,
              "Columns that become metadata, all (default: every other column) or none");
  columns->group(group);
  command->parse_complete_callback([options] {
    if (options->metadata_columns == std::vector{std::string("all")}) {
      options->metadata_columns.clear();
    }
  });
  command
      ->add_option("--metadata-json", options->metadata_json,
                   "Take metadata from this column of JSON objects instead")
      ->type_name("COLUMN")
      ->excludes(columns)
      ->group(group);
  AddSourceS3Flags(command, group, options);
}

CLI::Option* AddShardBy(CLI::App* command, SourceOptions* options, const std::string& help) {
  return command->add_option("--shard-by", options->shard_by, help)
      ->type_name("COLUMN")
      ->check(CLI::Validator(
          [](const std::string& name) { return name.empty() ? "no column is named" : ""; }, ""));
}

CLI::Option* AddList(CLI::App* command, const std::string& name, std::vector<std::string>* out,
                     const std::string& help) {
  return command->add_option(name, *out, help)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("A,B");
}

CLI::Option* AddTags(CLI::App* command, std::vector<Tag>* tags) {
  return command
      ->add_option_function<std::vector<std::string>>(
          "--tag",
          [tags](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) {
              Result<Tag> tag = ParseTag(text);
              if (!tag.ok()) throw CLI::ValidationError("--tag", tag.status().message());
              tags->push_back(*std::move(tag));
            }
          },
          "Tag of the new index; may be given again")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
}

int Fail(std::string_view command, const Status& status) {
  fmt::print(stderr, "vecload: {}: {}\n", command, status.message());
  return kExitFailed;
}

}  // namespace vecload::cli
