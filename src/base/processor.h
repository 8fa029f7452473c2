#pragma once

#include <string>

namespace vecload {

// As the system names it, e.g. "AMD EPYC"; empty where it does not, as on Arm.
std::string ProcessorModel();

}  // namespace vecload
