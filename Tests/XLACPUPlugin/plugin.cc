// XLA's own CPU backend behind the PJRT C API, for tests: `GetPjrtApi` over `xla::PjRtClient`, for the calls that Fluxion makes.
//
// Client options, all integers:
//   cpu_device_count          devices of this client, each with memory of its own in name (default: as
//                             --xla_force_host_platform_device_count in the variable XLA_FLAGS says, else 1)
//   memory_limit              bytes that the buffers and programs of a client may take together; more is RESOURCE_EXHAUSTED
//   lost_after_executions     executions after which the device is gone: every later one is UNAVAILABLE
//   node_id, num_nodes        which of how many processes this is, whose devices are one client's; needs a key-value store
//
// An attribute of the plugin, `live_objects`, counts what was handed out and not given back, so that tests can look for leaks.
#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mlir/IR/BuiltinOps.h"  // a stand-in: MLIR's headers are not in the wheel
#include "processes.h"
#include "xla/literal.h"
#include "xla/pjrt/c/pjrt_c_api.h"
#include "xla/pjrt/pjrt_client.h"
#include "xla/pjrt/pjrt_executable.h"
#include "xla/pjrt/plugin/xla_cpu/cpu_topology.h"
#include "xla/pjrt/plugin/xla_cpu/xla_cpu_pjrt_client.h"
#include "xla/pjrt/proto/compile_options.pb.h"

namespace xla {
// In the library; the header that declares it needs MLIR's.
absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>> ParseMlirModuleString(absl::string_view, mlir::MLIRContext&);
}  // namespace xla

namespace {
std::atomic<int64_t> live_objects{0};
struct Counted {
  Counted() { live_objects++; }
  ~Counted() { live_objects--; }
  Counted(const Counted&) = delete;
};

// Counts a client's memory, and ends it at a limit.
struct Meter {
  std::atomic<int64_t> in_use{0}, peak{0}, allocations{0}, largest{0};
  int64_t limit = 0;
};

class MeteredMemory : public xla::CpuMemory {
 public:
  static absl::StatusOr<std::unique_ptr<xla::CpuMemory>> Allocate(std::shared_ptr<Meter> meter, size_t size, size_t alignment) {
    int64_t now = meter->in_use += size;
    void* base = nullptr;
    if ((meter->limit == 0 || now <= meter->limit) && size < (size_t{1} << 46)) {
      size_t step = alignment < 64 ? 64 : alignment;
      base = std::aligned_alloc(step, (size + step - 1) / step * step + (size == 0 ? step : 0));
    }
    if (base == nullptr) {
      meter->in_use -= size;
      return absl::ResourceExhaustedError("Out of memory allocating " + std::to_string(size) + " bytes.");
    }
    meter->allocations++;
    for (int64_t p = meter->peak; now > p && !meter->peak.compare_exchange_weak(p, now);) {}
    for (int64_t l = meter->largest; int64_t(size) > l && !meter->largest.compare_exchange_weak(l, size);) {}
    return std::unique_ptr<xla::CpuMemory>(new MeteredMemory(std::move(meter), base, size));
  }
  ~MeteredMemory() override {
    std::free(base_);
    meter_->in_use -= size_;
  }
  void* base() const override { return base_; }
  size_t size_bytes() const override { return size_; }

 private:
  MeteredMemory(std::shared_ptr<Meter> meter, void* base, size_t size) : meter_(std::move(meter)), base_(base), size_(size) {}
  std::shared_ptr<Meter> meter_;
  void* base_;
  size_t size_;
};
}  // namespace

struct PJRT_Error : Counted {
  explicit PJRT_Error(absl::Status s) : status(std::move(s)), message(status.message()) {}
  absl::Status status;
  std::string message;
};
struct PJRT_Event : Counted {
  explicit PJRT_Event(xla::Future<> f) : future(std::move(f)) {}
  xla::Future<> future;
};
struct PJRT_DeviceDescription {
  int id, process_index;
  std::string kind;
};
struct PJRT_Device {
  // Null on another process.
  xla::PjRtDevice* device;
  PJRT_Client* client;
  PJRT_DeviceDescription description;
};
struct PJRT_Client : Counted {
  std::shared_ptr<Meter> meter = std::make_shared<Meter>();
  std::unique_ptr<xla::PjRtClient> client;
  std::vector<std::unique_ptr<PJRT_Device>> devices;
  // This process's, and all processes'.
  std::vector<PJRT_Device*> list, all;
  std::string platform_name, platform_version;
  // Executions left before the device is lost; negative: it never is.
  std::atomic<int64_t> executions_left{-1};

  PJRT_Device* find(const xla::PjRtDevice* device) {
    for (auto* d : list) {
      if (d->device == device) return d;
    }
    return nullptr;
  }
};
struct PJRT_Buffer : Counted {
  PJRT_Buffer(std::unique_ptr<xla::PjRtBuffer> b, PJRT_Client* c) : buffer(std::move(b)), client(c) {}
  std::unique_ptr<xla::PjRtBuffer> buffer;
  PJRT_Client* client;
};
// Compiled and loaded are one thing here, shared by both handles.
struct Program {
  std::shared_ptr<xla::PjRtLoadedExecutable> executable;
  PJRT_Client* client;
};
struct PJRT_Executable : Counted {
  Program program;
  std::vector<std::string> names;
  std::vector<PJRT_NamedValue> properties;
};
struct PJRT_LoadedExecutable : Counted {
  Program program;
  std::vector<PJRT_Device*> devices;
};
struct PJRT_SerializedExecutable : Counted {
  std::string bytes;
};

namespace {

PJRT_Error* Error(absl::Status status) { return status.ok() ? nullptr : new PJRT_Error(std::move(status)); }

#define RETURN_IF_ERROR(expression)                      \
  if (absl::Status s_ = (expression); !s_.ok()) return Error(std::move(s_))
#define CHECK_SIZE(type)                                                                                                       \
  if (args->struct_size < type##_STRUCT_SIZE)                                                                                  \
    return Error(absl::InvalidArgumentError(#type " has " + std::to_string(args->struct_size) + " bytes, " +                   \
                                            std::to_string(size_t{type##_STRUCT_SIZE}) + " are expected."))

// XLA throws nothing, but the containers between may: nothing must cross a C interface.
template <auto Function, typename Args>
PJRT_Error* Guarded(Args* args) {
  try {
    return Function(args);
  } catch (const std::bad_alloc&) {
    return Error(absl::ResourceExhaustedError("Out of memory."));
  } catch (const std::exception& e) {
    return Error(absl::InternalError(e.what()));
  }
}

// MARK: errors, plugin, events

void ErrorDestroy(PJRT_Error_Destroy_Args* args) { delete args->error; }
void ErrorMessage(PJRT_Error_Message_Args* args) {
  args->message = args->error->message.data();
  args->message_size = args->error->message.size();
}
PJRT_Error* ErrorGetCode(PJRT_Error_GetCode_Args* args) {
  CHECK_SIZE(PJRT_Error_GetCode_Args);
  args->code = static_cast<PJRT_Error_Code>(args->error->status.code());
  return nullptr;
}

PJRT_Error* PluginInitialize(PJRT_Plugin_Initialize_Args* args) {
  CHECK_SIZE(PJRT_Plugin_Initialize_Args);
  return nullptr;
}

PJRT_Error* PluginAttributes(PJRT_Plugin_Attributes_Args* args) {
  CHECK_SIZE(PJRT_Plugin_Attributes_Args);
  static PJRT_NamedValue attribute = [] {
    PJRT_NamedValue v{};
    v.struct_size = PJRT_NamedValue_STRUCT_SIZE;
    v.name = "live_objects";
    v.name_size = 12;
    v.type = PJRT_NamedValue_kInt64;
    v.value_size = 1;
    return v;
  }();
  attribute.int64_value = live_objects;
  args->attributes = &attribute;
  args->num_attributes = 1;
  return nullptr;
}

PJRT_Error* EventDestroy(PJRT_Event_Destroy_Args* args) {
  CHECK_SIZE(PJRT_Event_Destroy_Args);
  delete args->event;
  return nullptr;
}
PJRT_Error* EventIsReady(PJRT_Event_IsReady_Args* args) {
  CHECK_SIZE(PJRT_Event_IsReady_Args);
  args->is_ready = args->event->future.IsReady();
  return nullptr;
}
PJRT_Error* EventAwait(PJRT_Event_Await_Args* args) {
  CHECK_SIZE(PJRT_Event_Await_Args);
  return Error(args->event->future.Await());
}
PJRT_Error* EventOnReady(PJRT_Event_OnReady_Args* args) {
  CHECK_SIZE(PJRT_Event_OnReady_Args);
  args->event->future.OnReady(
      [callback = args->callback, user = args->user_arg](absl::Status status) { callback(Error(std::move(status)), user); });
  return nullptr;
}

// MARK: client

// The numbers of devices that the processes have.
absl::StatusOr<std::vector<int>> DeviceCounts(Store& store, int own, int node, int nodes) {
  if (absl::Status s = store.Put("devices/" + std::to_string(node), std::to_string(own)); !s.ok()) return s;
  std::vector<int> counts;
  for (int i = 0; i < nodes; i++) {
    auto count = store.Get("devices/" + std::to_string(i));
    if (!count.ok()) return count.status();
    counts.push_back(std::stoi(*count));
  }
  return counts;
}

PJRT_Error* ClientCreate(PJRT_Client_Create_Args* args) {
  CHECK_SIZE(PJRT_Client_Create_Args);
  int64_t node = 0, nodes = 1;
  auto made = std::make_unique<PJRT_Client>();
  // Without the option: as many as XLA_FLAGS says, else one.
  xla::CpuClientOptions options;
  for (size_t i = 0; i < args->num_options; i++) {
    const PJRT_NamedValue& option = args->create_options[i];
    std::string name(option.name, option.name_size);
    if (option.type != PJRT_NamedValue_kInt64) {
      return Error(absl::InvalidArgumentError("Option \"" + name + "\" must be an integer."));
    }
    int64_t value = option.int64_value;
    if (name == "cpu_device_count") {
      if (value < 1 || value > 1024) return Error(absl::InvalidArgumentError("cpu_device_count must be from 1 to 1024."));
      options.cpu_device_count = value;
    } else if (name == "memory_limit") {
      made->meter->limit = value;
    } else if (name == "lost_after_executions") {
      made->executions_left = value;
    } else if (name == "node_id") {
      node = value;
    } else if (name == "num_nodes") {
      nodes = value;
    } else {
      return Error(absl::InvalidArgumentError(
          "There is no option \"" + name +
          "\"; there are cpu_device_count, memory_limit, lost_after_executions, node_id and num_nodes."));
    }
  }
  std::shared_ptr<Store> store;
  if (nodes > 1) {
    if (args->kv_get_callback == nullptr || args->kv_put_callback == nullptr) {
      return Error(absl::InvalidArgumentError("Several processes need a key-value store."));
    }
    store = std::make_shared<Store>(Store{
        args->kv_get_callback, args->kv_get_user_arg, args->kv_put_callback, args->kv_put_user_arg,
        [](PJRT_Error_Code code, const char* message, size_t size) {
          return Error(absl::Status(static_cast<absl::StatusCode>(code), absl::string_view(message, size)));
        },
        [](PJRT_Error* error) {
          absl::Status status = error == nullptr ? absl::OkStatus() : error->status;
          delete error;
          return status;
        }});
    options.process_id = node;
    options.collectives = std::make_shared<StoreCollectives>(store);
  }
  options.allocator = [meter = made->meter](size_t size, size_t alignment) { return MeteredMemory::Allocate(meter, size, alignment); };
  auto client = xla::GetXlaPjrtCpuClient(std::move(options));
  RETURN_IF_ERROR(client.status());
  made->client = *std::move(client);
  made->platform_name = std::string(made->client->platform_name());
  // The wheel's version stands for the compiler's, of which the client says nothing.
  made->platform_version = std::string(made->client->platform_version()) + " tensorflow-cpu " FLUXION_WHEEL_VERSION;
  for (xla::PjRtDevice* d : made->client->addressable_devices()) {
    auto device = std::make_unique<PJRT_Device>();
    device->device = d;
    device->client = made.get();
    device->description = {d->global_device_id().value(), d->process_index(), std::string(d->device_kind())};
    made->list.push_back(device.get());
    made->devices.push_back(std::move(device));
  }
  made->all = made->list;
  if (nodes > 1) {
    auto counts = DeviceCounts(*store, made->list.size(), node, nodes);
    RETURN_IF_ERROR(counts.status());
    for (int i = 0; i < nodes; i++) {
      for (int j = 0; i != node && j < (*counts)[i]; j++) {
        auto device = std::make_unique<PJRT_Device>();
        device->client = made.get();
        device->description = {int(xla::PackCpuDeviceId(i, j).value()), i, made->list[0]->description.kind};
        made->all.push_back(device.get());
        made->devices.push_back(std::move(device));
      }
    }
  }
  args->client = made.release();
  return nullptr;
}

PJRT_Error* ClientDestroy(PJRT_Client_Destroy_Args* args) {
  CHECK_SIZE(PJRT_Client_Destroy_Args);
  delete args->client;
  return nullptr;
}
PJRT_Error* ClientPlatformName(PJRT_Client_PlatformName_Args* args) {
  CHECK_SIZE(PJRT_Client_PlatformName_Args);
  args->platform_name = args->client->platform_name.data();
  args->platform_name_size = args->client->platform_name.size();
  return nullptr;
}
PJRT_Error* ClientPlatformVersion(PJRT_Client_PlatformVersion_Args* args) {
  CHECK_SIZE(PJRT_Client_PlatformVersion_Args);
  args->platform_version = args->client->platform_version.data();
  args->platform_version_size = args->client->platform_version.size();
  return nullptr;
}
PJRT_Error* ClientAddressableDevices(PJRT_Client_AddressableDevices_Args* args) {
  CHECK_SIZE(PJRT_Client_AddressableDevices_Args);
  args->addressable_devices = args->client->list.data();
  args->num_addressable_devices = args->client->list.size();
  return nullptr;
}
PJRT_Error* ClientDevices(PJRT_Client_Devices_Args* args) {
  CHECK_SIZE(PJRT_Client_Devices_Args);
  args->devices = args->client->all.data();
  args->num_devices = args->client->all.size();
  return nullptr;
}

PJRT_LoadedExecutable* Loaded(std::unique_ptr<xla::PjRtLoadedExecutable> executable, PJRT_Client* client) {
  auto* loaded = new PJRT_LoadedExecutable();
  loaded->program = {std::move(executable), client};
  for (xla::PjRtDevice* d : loaded->program.executable->addressable_devices()) loaded->devices.push_back(client->find(d));
  return loaded;
}

absl::StatusOr<xla::CompileOptions> ParseOptions(const char* bytes, size_t size) {
  xla::CompileOptionsProto proto;
  if (!proto.ParseFromString(absl::string_view(bytes, size))) {
    return absl::InvalidArgumentError("The compile options are not a CompileOptionsProto.");
  }
  return xla::CompileOptions::FromProto(proto);
}

PJRT_Error* ClientCompile(PJRT_Client_Compile_Args* args) {
  CHECK_SIZE(PJRT_Client_Compile_Args);
  absl::string_view format(args->program->format, args->program->format_size);
  if (format != "mlir") {
    return Error(absl::UnimplementedError("Programs in format \"" + std::string(format) + "\" are not compiled; \"mlir\" is."));
  }
  auto options = ParseOptions(args->compile_options, args->compile_options_size);
  RETURN_IF_ERROR(options.status());
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  auto module = xla::ParseMlirModuleString(absl::string_view(args->program->code, args->program->code_size), context);
  RETURN_IF_ERROR(module.status());
  auto executable = args->client->client->CompileAndLoad(**module, *std::move(options));
  RETURN_IF_ERROR(executable.status());
  args->executable = Loaded(*std::move(executable), args->client);
  return nullptr;
}

// MARK: devices

PJRT_Error* DeviceDescriptionId(PJRT_DeviceDescription_Id_Args* args) {
  CHECK_SIZE(PJRT_DeviceDescription_Id_Args);
  args->id = args->device_description->id;
  return nullptr;
}
PJRT_Error* DeviceDescriptionProcessIndex(PJRT_DeviceDescription_ProcessIndex_Args* args) {
  CHECK_SIZE(PJRT_DeviceDescription_ProcessIndex_Args);
  args->process_index = args->device_description->process_index;
  return nullptr;
}
PJRT_Error* DeviceDescriptionKind(PJRT_DeviceDescription_Kind_Args* args) {
  CHECK_SIZE(PJRT_DeviceDescription_Kind_Args);
  args->device_kind = args->device_description->kind.data();
  args->device_kind_size = args->device_description->kind.size();
  return nullptr;
}
PJRT_Error* DeviceGetDescription(PJRT_Device_GetDescription_Args* args) {
  CHECK_SIZE(PJRT_Device_GetDescription_Args);
  args->device_description = &args->device->description;
  return nullptr;
}
PJRT_Error* DeviceMemoryStats(PJRT_Device_MemoryStats_Args* args) {
  CHECK_SIZE(PJRT_Device_MemoryStats_Args);
  size_t size = args->struct_size;
  PJRT_Device* device = args->device;
  *args = PJRT_Device_MemoryStats_Args{};
  args->struct_size = size;
  args->device = device;
  const Meter& meter = *device->client->meter;
  args->bytes_in_use = meter.in_use;
  args->peak_bytes_in_use = meter.peak;
  args->num_allocs = meter.allocations;
  args->largest_alloc_size = meter.largest;
  args->bytes_limit = meter.limit;
  args->peak_bytes_in_use_is_set = args->num_allocs_is_set = args->largest_alloc_size_is_set = true;
  args->bytes_limit_is_set = meter.limit > 0;
  return nullptr;
}

// MARK: buffers

constexpr std::pair<PJRT_Buffer_Type, xla::PrimitiveType> kTypes[] = {
    {PJRT_Buffer_Type_PRED, xla::PRED}, {PJRT_Buffer_Type_S8, xla::S8},     {PJRT_Buffer_Type_S16, xla::S16},
    {PJRT_Buffer_Type_S32, xla::S32},   {PJRT_Buffer_Type_S64, xla::S64},   {PJRT_Buffer_Type_U8, xla::U8},
    {PJRT_Buffer_Type_U16, xla::U16},   {PJRT_Buffer_Type_U32, xla::U32},   {PJRT_Buffer_Type_U64, xla::U64},
    {PJRT_Buffer_Type_F16, xla::F16},   {PJRT_Buffer_Type_F32, xla::F32},   {PJRT_Buffer_Type_F64, xla::F64},
    {PJRT_Buffer_Type_BF16, xla::BF16}, {PJRT_Buffer_Type_C64, xla::C64},   {PJRT_Buffer_Type_C128, xla::C128},
    {PJRT_Buffer_Type_F8E5M2, xla::F8E5M2}, {PJRT_Buffer_Type_F8E4M3FN, xla::F8E4M3FN}};

PJRT_Error* ClientBufferFromHostBuffer(PJRT_Client_BufferFromHostBuffer_Args* args) {
  CHECK_SIZE(PJRT_Client_BufferFromHostBuffer_Args);
  xla::PrimitiveType type = xla::PRIMITIVE_TYPE_INVALID;
  for (auto [c, x] : kTypes) {
    if (c == args->type) type = x;
  }
  if (type == xla::PRIMITIVE_TYPE_INVALID) {
    return Error(absl::UnimplementedError("Buffers of type " + std::to_string(args->type) + " are not supported."));
  }
  if (args->device_layout != nullptr || args->memory != nullptr) {
    return Error(absl::UnimplementedError("Layouts and memories other than a device's own are not supported."));
  }
  std::optional<absl::Span<const int64_t>> strides;
  if (args->byte_strides != nullptr) strides = absl::Span<const int64_t>(args->byte_strides, args->num_byte_strides);
  auto memory = args->device->device->default_memory_space();
  RETURN_IF_ERROR(memory.status());
  auto [promise, future] = xla::MakePromise<>();
  auto buffer = args->client->client->BufferFromHostBuffer(
      args->data, type, absl::Span<const int64_t>(args->dims, args->num_dims), strides,
      static_cast<xla::PjRtClient::HostBufferSemantics>(args->host_buffer_semantics),
      [promise = std::move(promise)]() mutable { promise.Set(absl::OkStatus()); }, *memory, /*device_layout=*/nullptr);
  RETURN_IF_ERROR(buffer.status());
  args->buffer = new PJRT_Buffer(*std::move(buffer), args->client);
  args->done_with_host_buffer = new PJRT_Event(std::move(future));
  return nullptr;
}

PJRT_Error* BufferDestroy(PJRT_Buffer_Destroy_Args* args) {
  CHECK_SIZE(PJRT_Buffer_Destroy_Args);
  delete args->buffer;
  return nullptr;
}
PJRT_Error* BufferElementType(PJRT_Buffer_ElementType_Args* args) {
  CHECK_SIZE(PJRT_Buffer_ElementType_Args);
  args->type = PJRT_Buffer_Type_INVALID;
  for (auto [c, x] : kTypes) {
    if (x == args->buffer->buffer->element_type()) args->type = c;
  }
  return nullptr;
}
PJRT_Error* BufferDimensions(PJRT_Buffer_Dimensions_Args* args) {
  CHECK_SIZE(PJRT_Buffer_Dimensions_Args);
  auto dimensions = args->buffer->buffer->dimensions();
  args->dims = dimensions.data();
  args->num_dims = dimensions.size();
  return nullptr;
}
PJRT_Error* BufferIsDeleted(PJRT_Buffer_IsDeleted_Args* args) {
  CHECK_SIZE(PJRT_Buffer_IsDeleted_Args);
  args->is_deleted = args->buffer->buffer->IsDeleted();
  return nullptr;
}
PJRT_Error* BufferCopyToDevice(PJRT_Buffer_CopyToDevice_Args* args) {
  CHECK_SIZE(PJRT_Buffer_CopyToDevice_Args);
  auto memory = args->dst_device->device->default_memory_space();
  RETURN_IF_ERROR(memory.status());
  auto copy = args->buffer->buffer->CopyToMemorySpace(*memory);
  RETURN_IF_ERROR(copy.status());
  args->dst_buffer = new PJRT_Buffer(*std::move(copy), args->buffer->client);
  return nullptr;
}
PJRT_Error* BufferReadyEvent(PJRT_Buffer_ReadyEvent_Args* args) {
  CHECK_SIZE(PJRT_Buffer_ReadyEvent_Args);
  args->event = new PJRT_Event(args->buffer->buffer->GetReadyFuture());
  return nullptr;
}

PJRT_Error* BufferToHostBuffer(PJRT_Buffer_ToHostBuffer_Args* args) {
  CHECK_SIZE(PJRT_Buffer_ToHostBuffer_Args);
  xla::PjRtBuffer* source = args->src->buffer.get();
  xla::Shape shape = xla::ShapeUtil::MakeShape(source->element_type(), source->dimensions());
  if (args->host_layout == nullptr) {
    *shape.mutable_layout() = source->layout()->xla_layout();
  } else if (args->host_layout->type == PJRT_Buffer_MemoryLayout_Type_Tiled && args->host_layout->tiled.num_tiles == 0) {
    const auto& tiled = args->host_layout->tiled;
    if (tiled.minor_to_major_size != source->dimensions().size()) {
      return Error(absl::InvalidArgumentError("The host layout has another rank than the buffer."));
    }
    shape = xla::ShapeUtil::MakeShapeWithDenseLayout(
        source->element_type(), source->dimensions(), absl::Span<const int64_t>(tiled.minor_to_major, tiled.minor_to_major_size));
  } else {
    return Error(absl::UnimplementedError("Host layouts with tiles or strides are not supported."));
  }
  size_t needed = xla::ShapeUtil::ByteSizeOf(shape);
  if (args->dst == nullptr) {
    args->dst_size = needed;
    return nullptr;
  }
  if (args->dst_size < needed) {
    return Error(absl::InvalidArgumentError(
        "The destination has " + std::to_string(args->dst_size) + " bytes; the buffer has " + std::to_string(needed) + "."));
  }
  auto literal = std::make_shared<xla::MutableBorrowingLiteral>(static_cast<char*>(args->dst), shape);
  xla::Future<> done = source->ToLiteral(literal.get());
  done.OnReady([literal](absl::Status) {});
  args->event = new PJRT_Event(std::move(done));
  return nullptr;
}

// MARK: programs

PJRT_Error* ExecutableDestroy(PJRT_Executable_Destroy_Args* args) {
  CHECK_SIZE(PJRT_Executable_Destroy_Args);
  delete args->executable;
  return nullptr;
}
PJRT_Error* ExecutableNumOutputs(PJRT_Executable_NumOutputs_Args* args) {
  CHECK_SIZE(PJRT_Executable_NumOutputs_Args);
  auto types = args->executable->program.executable->GetOutputElementTypes();
  RETURN_IF_ERROR(types.status());
  args->num_outputs = types->empty() ? 0 : types->front().size();
  return nullptr;
}
PJRT_Error* ExecutableGetCostAnalysis(PJRT_Executable_GetCostAnalysis_Args* args) {
  CHECK_SIZE(PJRT_Executable_GetCostAnalysis_Args);
  PJRT_Executable* executable = args->executable;
  if (executable->properties.empty()) {
    auto cost = executable->program.executable->GetCostAnalysis();
    RETURN_IF_ERROR(cost.status());
    executable->names.reserve(cost->size());
    for (auto& [name, value] : *cost) {
      const float* number = std::get_if<float>(&value);
      if (number == nullptr) continue;
      executable->names.push_back(name);
      PJRT_NamedValue property{};
      property.struct_size = PJRT_NamedValue_STRUCT_SIZE;
      property.name = executable->names.back().data();
      property.name_size = executable->names.back().size();
      property.type = PJRT_NamedValue_kFloat;
      property.float_value = *number;
      property.value_size = 1;
      executable->properties.push_back(property);
    }
  }
  args->properties = executable->properties.data();
  args->num_properties = executable->properties.size();
  return nullptr;
}
PJRT_Error* ExecutableOptimizedProgram(PJRT_Executable_OptimizedProgram_Args* args) {
  CHECK_SIZE(PJRT_Executable_OptimizedProgram_Args);
  auto modules = args->executable->program.executable->GetHloModules();
  RETURN_IF_ERROR(modules.status());
  if (modules->size() != 1) return Error(absl::UnimplementedError("Programs of several modules are not shown."));
  std::string bytes = modules->front()->ToProto().SerializeAsString();
  PJRT_Program* program = args->program;
  program->format = "hlo";
  program->format_size = 3;
  if (program->code == nullptr) {
    program->code_size = bytes.size();
    return nullptr;
  }
  if (program->code_size < bytes.size()) {
    return Error(absl::InvalidArgumentError(
        "The program has " + std::to_string(bytes.size()) + " bytes, and there is room for " + std::to_string(program->code_size) + "."));
  }
  std::copy(bytes.begin(), bytes.end(), program->code);
  return nullptr;
}
PJRT_Error* ExecutableGetCompiledMemoryStats(PJRT_Executable_GetCompiledMemoryStats_Args* args) {
  CHECK_SIZE(PJRT_Executable_GetCompiledMemoryStats_Args);
  auto stats = args->executable->program.executable->GetCompiledMemoryStats();
  RETURN_IF_ERROR(stats.status());
  args->generated_code_size_in_bytes = stats->generated_code_size_in_bytes;
  args->argument_size_in_bytes = stats->argument_size_in_bytes;
  args->output_size_in_bytes = stats->output_size_in_bytes;
  args->alias_size_in_bytes = stats->alias_size_in_bytes;
  args->temp_size_in_bytes = stats->temp_size_in_bytes;
  args->host_generated_code_size_in_bytes = stats->host_generated_code_size_in_bytes;
  args->host_argument_size_in_bytes = stats->host_argument_size_in_bytes;
  args->host_output_size_in_bytes = stats->host_output_size_in_bytes;
  args->host_alias_size_in_bytes = stats->host_alias_size_in_bytes;
  args->host_temp_size_in_bytes = stats->host_temp_size_in_bytes;
  args->peak_memory_in_bytes = stats->peak_memory_in_bytes;
  args->total_size_in_bytes = stats->total_size_in_bytes;
  return nullptr;
}
PJRT_Error* ExecutableSerialize(PJRT_Executable_Serialize_Args* args) {
  CHECK_SIZE(PJRT_Executable_Serialize_Args);
  auto bytes = args->executable->program.executable->SerializeExecutable();
  RETURN_IF_ERROR(bytes.status());
  auto* serialized = new PJRT_SerializedExecutable();
  serialized->bytes = *std::move(bytes);
  args->serialized_executable = serialized;
  args->serialized_bytes = serialized->bytes.data();
  args->serialized_bytes_size = serialized->bytes.size();
  args->serialized_executable_deleter = [](PJRT_SerializedExecutable* s) { delete s; };
  return nullptr;
}
PJRT_Error* ExecutableDeserializeAndLoad(PJRT_Executable_DeserializeAndLoad_Args* args) {
  CHECK_SIZE(PJRT_Executable_DeserializeAndLoad_Args);
  std::optional<xla::CompileOptions> options;
  if (args->overridden_serialized_compile_options != nullptr) {
    auto parsed = ParseOptions(args->overridden_serialized_compile_options, args->overridden_serialized_compile_options_size);
    RETURN_IF_ERROR(parsed.status());
    options = *std::move(parsed);
  }
  auto executable = args->client->client->LoadSerializedExecutable(
      absl::string_view(args->serialized_executable, args->serialized_executable_size), std::move(options), xla::LoadOptions());
  RETURN_IF_ERROR(executable.status());
  args->loaded_executable = Loaded(*std::move(executable), args->client);
  return nullptr;
}

PJRT_Error* LoadedExecutableDestroy(PJRT_LoadedExecutable_Destroy_Args* args) {
  CHECK_SIZE(PJRT_LoadedExecutable_Destroy_Args);
  delete args->executable;
  return nullptr;
}
PJRT_Error* LoadedExecutableGetExecutable(PJRT_LoadedExecutable_GetExecutable_Args* args) {
  CHECK_SIZE(PJRT_LoadedExecutable_GetExecutable_Args);
  auto* executable = new PJRT_Executable();
  executable->program = args->loaded_executable->program;
  args->executable = executable;
  return nullptr;
}
PJRT_Error* LoadedExecutableAddressableDevices(PJRT_LoadedExecutable_AddressableDevices_Args* args) {
  CHECK_SIZE(PJRT_LoadedExecutable_AddressableDevices_Args);
  args->addressable_devices = args->executable->devices.data();
  args->num_addressable_devices = args->executable->devices.size();
  return nullptr;
}

PJRT_Error* LoadedExecutableExecute(PJRT_LoadedExecutable_Execute_Args* args) {
  CHECK_SIZE(PJRT_LoadedExecutable_Execute_Args);
  PJRT_Client* client = args->executable->program.client;
  if (client->executions_left >= 0 && client->executions_left-- <= 0) {
    client->executions_left = 0;
    return Error(absl::UnavailableError("The device has been lost."));
  }
  if (args->options->num_send_ops != 0 || args->options->num_recv_ops != 0) {
    return Error(absl::UnimplementedError("Programs that send to or receive from the host are not supported."));
  }
  xla::ExecuteOptions options;
  options.launch_id = args->options->launch_id;
  for (size_t i = 0; i < args->options->num_non_donatable_input_indices; i++) {
    options.non_donatable_input_indices.insert(args->options->non_donatable_input_indices[i]);
  }
  std::vector<std::vector<xla::PjRtBuffer*>> arguments(args->num_devices);
  for (size_t d = 0; d < args->num_devices; d++) {
    arguments[d].reserve(args->num_args);
    for (size_t i = 0; i < args->num_args; i++) arguments[d].push_back(args->argument_lists[d][i]->buffer.get());
  }
  bool wants_events = args->device_complete_events != nullptr;
  std::vector<std::vector<std::unique_ptr<xla::PjRtBuffer>>> results;
  std::optional<std::vector<xla::Future<>>> futures;
  if (wants_events) futures.emplace();
  if (args->execute_device == nullptr) {
    auto run = args->executable->program.executable->Execute(absl::MakeConstSpan(arguments), options, futures);
    RETURN_IF_ERROR(run.status());
    results = *std::move(run);
  } else {
    if (args->num_devices != 1) return Error(absl::InvalidArgumentError("execute_device is for one list of arguments."));
    std::optional<xla::Future<>> future;
    auto run = args->executable->program.executable->ExecutePortable(
        arguments[0], args->execute_device->device, options, future, /*fill_future=*/wants_events);
    RETURN_IF_ERROR(run.status());
    results.push_back(*std::move(run));
    if (wants_events) futures->push_back(*std::move(future));
  }
  for (size_t d = 0; d < results.size(); d++) {
    for (size_t i = 0; i < results[d].size(); i++) args->output_lists[d][i] = new PJRT_Buffer(std::move(results[d][i]), client);
    if (wants_events) args->device_complete_events[d] = new PJRT_Event(std::move((*futures)[d]));
  }
  return nullptr;
}

}  // namespace

#define SLOT(name, function) api.name = Guarded<function, name##_Args>

extern "C" __attribute__((visibility("default"))) const PJRT_Api* GetPjrtApi() {
  static const PJRT_Api table = [] {
    PJRT_Api api{};
    api.struct_size = PJRT_Api_STRUCT_SIZE;
    api.pjrt_api_version = {PJRT_Api_Version_STRUCT_SIZE, nullptr, PJRT_API_MAJOR, PJRT_API_MINOR};
    api.PJRT_Error_Destroy = ErrorDestroy;
    api.PJRT_Error_Message = ErrorMessage;
    SLOT(PJRT_Error_GetCode, ErrorGetCode);
    SLOT(PJRT_Plugin_Initialize, PluginInitialize);
    SLOT(PJRT_Plugin_Attributes, PluginAttributes);
    SLOT(PJRT_Event_Destroy, EventDestroy);
    SLOT(PJRT_Event_IsReady, EventIsReady);
    SLOT(PJRT_Event_Await, EventAwait);
    SLOT(PJRT_Event_OnReady, EventOnReady);
    SLOT(PJRT_Client_Create, ClientCreate);
    SLOT(PJRT_Client_Destroy, ClientDestroy);
    SLOT(PJRT_Client_PlatformName, ClientPlatformName);
    SLOT(PJRT_Client_PlatformVersion, ClientPlatformVersion);
    SLOT(PJRT_Client_Devices, ClientDevices);
    SLOT(PJRT_Client_AddressableDevices, ClientAddressableDevices);
    SLOT(PJRT_Client_Compile, ClientCompile);
    SLOT(PJRT_Client_BufferFromHostBuffer, ClientBufferFromHostBuffer);
    SLOT(PJRT_DeviceDescription_Id, DeviceDescriptionId);
    SLOT(PJRT_DeviceDescription_ProcessIndex, DeviceDescriptionProcessIndex);
    SLOT(PJRT_DeviceDescription_Kind, DeviceDescriptionKind);
    SLOT(PJRT_Device_GetDescription, DeviceGetDescription);
    SLOT(PJRT_Device_MemoryStats, DeviceMemoryStats);
    SLOT(PJRT_Buffer_Destroy, BufferDestroy);
    SLOT(PJRT_Buffer_ElementType, BufferElementType);
    SLOT(PJRT_Buffer_Dimensions, BufferDimensions);
    SLOT(PJRT_Buffer_IsDeleted, BufferIsDeleted);
    SLOT(PJRT_Buffer_CopyToDevice, BufferCopyToDevice);
    SLOT(PJRT_Buffer_ReadyEvent, BufferReadyEvent);
    SLOT(PJRT_Buffer_ToHostBuffer, BufferToHostBuffer);
    SLOT(PJRT_Executable_Destroy, ExecutableDestroy);
    SLOT(PJRT_Executable_NumOutputs, ExecutableNumOutputs);
    SLOT(PJRT_Executable_GetCostAnalysis, ExecutableGetCostAnalysis);
    SLOT(PJRT_Executable_GetCompiledMemoryStats, ExecutableGetCompiledMemoryStats);
    SLOT(PJRT_Executable_OptimizedProgram, ExecutableOptimizedProgram);
    SLOT(PJRT_Executable_Serialize, ExecutableSerialize);
    SLOT(PJRT_Executable_DeserializeAndLoad, ExecutableDeserializeAndLoad);
    SLOT(PJRT_LoadedExecutable_Destroy, LoadedExecutableDestroy);
    SLOT(PJRT_LoadedExecutable_GetExecutable, LoadedExecutableGetExecutable);
    SLOT(PJRT_LoadedExecutable_AddressableDevices, LoadedExecutableAddressableDevices);
    SLOT(PJRT_LoadedExecutable_Execute, LoadedExecutableExecute);
    return api;
  }();
  return &table;
}
