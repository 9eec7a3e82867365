// The part of the PJRT C API that Fluxion calls: the interface through which XLA's devices are reached without linking to XLA.
//
// A plugin is a shared library with one entry point, `GetPjrtApi`, which returns a table of functions. Functions are found by their
// place in the table, so every place is declared here, those that are not called as `PJRT_Unused`. Names and layouts are those of the
// API, as of version 0.90; the test plugin's build compares each of them with XLA's own header.
//
// Every call takes one struct of arguments and results. Its first field is the size the caller knows the struct to have: both the
// structs and the table only ever grow at their end, which is how callers and plugins of different minor versions understand each
// other. Its second field chains extensions, of which none are used here. Fields marked "out" are written by the plugin.
//
// Errors are returned: null is success, everything else is owned by the caller and given back with `PJRT_Error_Destroy`.
#ifndef FLUXION_PJRT_H
#define FLUXION_PJRT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct PJRT_Extension_Base PJRT_Extension_Base;
typedef struct PJRT_Error PJRT_Error;
typedef struct PJRT_Event PJRT_Event;
typedef struct PJRT_Client PJRT_Client;
typedef struct PJRT_Device PJRT_Device;
typedef struct PJRT_DeviceDescription PJRT_DeviceDescription;
typedef struct PJRT_Memory PJRT_Memory;
typedef struct PJRT_Buffer PJRT_Buffer;
typedef struct PJRT_Executable PJRT_Executable;
typedef struct PJRT_LoadedExecutable PJRT_LoadedExecutable;
typedef struct PJRT_SerializedExecutable PJRT_SerializedExecutable;
typedef struct PJRT_ExecuteContext PJRT_ExecuteContext;
typedef struct PJRT_SendCallbackInfo PJRT_SendCallbackInfo;
typedef struct PJRT_RecvCallbackInfo PJRT_RecvCallbackInfo;

// MARK: - Errors

typedef enum {
  PJRT_Error_Code_OK = 0,
  PJRT_Error_Code_CANCELLED = 1,
  PJRT_Error_Code_UNKNOWN = 2,
  PJRT_Error_Code_INVALID_ARGUMENT = 3,
  PJRT_Error_Code_DEADLINE_EXCEEDED = 4,
  PJRT_Error_Code_NOT_FOUND = 5,
  PJRT_Error_Code_ALREADY_EXISTS = 6,
  PJRT_Error_Code_PERMISSION_DENIED = 7,
  PJRT_Error_Code_RESOURCE_EXHAUSTED = 8,
  PJRT_Error_Code_FAILED_PRECONDITION = 9,
  PJRT_Error_Code_ABORTED = 10,
  PJRT_Error_Code_OUT_OF_RANGE = 11,
  PJRT_Error_Code_UNIMPLEMENTED = 12,
  PJRT_Error_Code_INTERNAL = 13,
  PJRT_Error_Code_UNAVAILABLE = 14,
  PJRT_Error_Code_DATA_LOSS = 15,
  PJRT_Error_Code_UNAUTHENTICATED = 16
} PJRT_Error_Code;

typedef struct PJRT_Error_Destroy_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Error *error;
} PJRT_Error_Destroy_Args;

// The message lives as long as the error.
typedef struct PJRT_Error_Message_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  const PJRT_Error *error;
  const char *message;  // out
  size_t message_size;  // out
} PJRT_Error_Message_Args;

typedef struct PJRT_Error_GetCode_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  const PJRT_Error *error;
  PJRT_Error_Code code;  // out
} PJRT_Error_GetCode_Args;

// MARK: - Named values: options and attributes

typedef enum {
  PJRT_NamedValue_kString = 0,
  PJRT_NamedValue_kInt64,
  PJRT_NamedValue_kInt64List,
  PJRT_NamedValue_kFloat,
  PJRT_NamedValue_kBool
} PJRT_NamedValue_Type;

// `value_size` counts the characters of a string and the elements of a list; it is 1 for the other types.
typedef struct PJRT_NamedValue {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  const char *name;
  size_t name_size;
  PJRT_NamedValue_Type type;
  union {
    const char *string_value;
    int64_t int64_value;
    const int64_t *int64_array_value;
    float float_value;
    bool bool_value;
  };
  size_t value_size;
} PJRT_NamedValue;

// MARK: - The plugin

// Once, before anything else.
typedef struct PJRT_Plugin_Initialize_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
} PJRT_Plugin_Initialize_Args;

// What the plugin says of itself, such as the StableHLO versions it reads. Lives as long as the plugin.
typedef struct PJRT_Plugin_Attributes_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  const PJRT_NamedValue *attributes;  // out
  size_t num_attributes;              // out
} PJRT_Plugin_Attributes_Args;

// MARK: - Events: work that is not finished yet

typedef struct PJRT_Event_Destroy_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Event *event;
} PJRT_Event_Destroy_Args;

typedef struct PJRT_Event_IsReady_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Event *event;
  bool is_ready;  // out
} PJRT_Event_IsReady_Args;

// Waits, and returns the error of the work that the event stands for.
typedef struct PJRT_Event_Await_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Event *event;
} PJRT_Event_Await_Args;

// The callback owns the error it is given. It may come on any thread, or at once on the caller's.
typedef void (*PJRT_Event_OnReadyCallback)(PJRT_Error *error, void *user_arg);

typedef struct PJRT_Event_OnReady_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Event *event;
  PJRT_Event_OnReadyCallback callback;
  void *user_arg;
} PJRT_Event_OnReady_Args;

// MARK: - The client: a connection to the plugin's devices

// The callbacks of a key-value store, by which the processes of one job find each other; null in a single process. They are called from
// any thread. What they return is null, or made by the `callback_error` that they are given a pointer to; a value that they give is
// copied, and then given back to its deleter.
typedef PJRT_Error *(*PJRT_CallbackError)(PJRT_Error_Code code, const char *message, size_t message_size);
typedef void (*PJRT_KeyValueDeleter)(char *value);

// Waits until the key is there, but no longer than it is told.
typedef struct PJRT_KeyValueGetCallback_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  const char *key;
  size_t key_size;
  int timeout_in_ms;
  PJRT_CallbackError *callback_error;
  void *user_arg;
  char *value;                                  // out
  size_t value_size;                            // out
  PJRT_KeyValueDeleter value_deleter_callback;  // out
} PJRT_KeyValueGetCallback_Args;

// Does not wait: a key that is not there is an error of code NOT_FOUND.
typedef struct PJRT_KeyValueTryGetCallback_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  const char *key;
  size_t key_size;
  PJRT_CallbackError *callback_error;
  void *user_arg;
  char *value;                                  // out
  size_t value_size;                            // out
  PJRT_KeyValueDeleter value_deleter_callback;  // out
} PJRT_KeyValueTryGetCallback_Args;

typedef struct PJRT_KeyValuePutCallback_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  const char *key;
  size_t key_size;
  const char *value;
  size_t value_size;
  PJRT_CallbackError *callback_error;
  void *user_arg;
} PJRT_KeyValuePutCallback_Args;

typedef PJRT_Error *(*PJRT_KeyValueGetCallback)(PJRT_KeyValueGetCallback_Args *);
typedef PJRT_Error *(*PJRT_KeyValueTryGetCallback)(PJRT_KeyValueTryGetCallback_Args *);
typedef PJRT_Error *(*PJRT_KeyValuePutCallback)(PJRT_KeyValuePutCallback_Args *);

typedef struct PJRT_Client_Create_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  const PJRT_NamedValue *create_options;
  size_t num_options;
  PJRT_KeyValueGetCallback kv_get_callback;
  void *kv_get_user_arg;
  PJRT_KeyValuePutCallback kv_put_callback;
  void *kv_put_user_arg;
  PJRT_Client *client;  // out
  PJRT_KeyValueTryGetCallback kv_try_get_callback;
  void *kv_try_get_user_arg;
} PJRT_Client_Create_Args;

typedef struct PJRT_Client_Destroy_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Client *client;
} PJRT_Client_Destroy_Args;

typedef struct PJRT_Client_PlatformName_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Client *client;
  const char *platform_name;  // out
  size_t platform_name_size;  // out
} PJRT_Client_PlatformName_Args;

// Names all that decides whether a compiled program may be used again: compiler, runtime, driver.
typedef struct PJRT_Client_PlatformVersion_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Client *client;
  const char *platform_version;  // out
  size_t platform_version_size;  // out
} PJRT_Client_PlatformVersion_Args;

// The devices of all processes; the list lives as long as the client.
typedef struct PJRT_Client_Devices_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Client *client;
  PJRT_Device *const *devices;  // out
  size_t num_devices;           // out
} PJRT_Client_Devices_Args;

// The devices of this process; the list lives as long as the client.
typedef struct PJRT_Client_AddressableDevices_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Client *client;
  PJRT_Device *const *addressable_devices;  // out
  size_t num_addressable_devices;           // out
} PJRT_Client_AddressableDevices_Args;

// A program in `format`, which is "mlir" for StableHLO as text or bytecode.
typedef struct PJRT_Program {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  char *code;
  size_t code_size;
  const char *format;
  size_t format_size;
} PJRT_Program;

// `compile_options` are the bytes of XLA's `CompileOptionsProto`.
typedef struct PJRT_Client_Compile_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Client *client;
  const PJRT_Program *program;
  const char *compile_options;
  size_t compile_options_size;
  PJRT_LoadedExecutable *executable;  // out
} PJRT_Client_Compile_Args;

// MARK: - Devices

typedef struct PJRT_DeviceDescription_Id_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_DeviceDescription *device_description;
  int id;  // out
} PJRT_DeviceDescription_Id_Args;

typedef struct PJRT_DeviceDescription_ProcessIndex_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_DeviceDescription *device_description;
  int process_index;  // out
} PJRT_DeviceDescription_ProcessIndex_Args;

typedef struct PJRT_DeviceDescription_Kind_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_DeviceDescription *device_description;
  const char *device_kind;  // out
  size_t device_kind_size;  // out
} PJRT_DeviceDescription_Kind_Args;

typedef struct PJRT_Device_GetDescription_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Device *device;
  PJRT_DeviceDescription *device_description;  // out
} PJRT_Device_GetDescription_Args;

// Each number after the first is meaningful only if its flag is set.
typedef struct PJRT_Device_MemoryStats_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Device *device;
  int64_t bytes_in_use;                 // out
  int64_t peak_bytes_in_use;            // out
  bool peak_bytes_in_use_is_set;        // out
  int64_t num_allocs;                   // out
  bool num_allocs_is_set;               // out
  int64_t largest_alloc_size;           // out
  bool largest_alloc_size_is_set;       // out
  int64_t bytes_limit;                  // out
  bool bytes_limit_is_set;              // out
  int64_t bytes_reserved;               // out
  bool bytes_reserved_is_set;           // out
  int64_t peak_bytes_reserved;          // out
  bool peak_bytes_reserved_is_set;      // out
  int64_t bytes_reservable_limit;       // out
  bool bytes_reservable_limit_is_set;   // out
  int64_t largest_free_block_bytes;     // out
  bool largest_free_block_bytes_is_set; // out
  int64_t pool_bytes;                   // out
  bool pool_bytes_is_set;               // out
  int64_t peak_pool_bytes;              // out
  bool peak_pool_bytes_is_set;          // out
} PJRT_Device_MemoryStats_Args;

// MARK: - Buffers: arrays in a device's memory

typedef enum {
  PJRT_Buffer_Type_INVALID,
  PJRT_Buffer_Type_PRED,
  PJRT_Buffer_Type_S8,
  PJRT_Buffer_Type_S16,
  PJRT_Buffer_Type_S32,
  PJRT_Buffer_Type_S64,
  PJRT_Buffer_Type_U8,
  PJRT_Buffer_Type_U16,
  PJRT_Buffer_Type_U32,
  PJRT_Buffer_Type_U64,
  PJRT_Buffer_Type_F16,
  PJRT_Buffer_Type_F32,
  PJRT_Buffer_Type_F64,
  PJRT_Buffer_Type_BF16,
  PJRT_Buffer_Type_C64,
  PJRT_Buffer_Type_C128,
  PJRT_Buffer_Type_F8E5M2,
  PJRT_Buffer_Type_F8E4M3FN
} PJRT_Buffer_Type;

// What the plugin may do with the host's memory it is given.
typedef enum {
  // Read it before the call returns.
  PJRT_HostBufferSemantics_kImmutableOnlyDuringCall,
  // Read it until the event.
  PJRT_HostBufferSemantics_kImmutableUntilTransferCompletes,
  // Use it as the buffer, without writing; the event comes when the buffer goes.
  PJRT_HostBufferSemantics_kImmutableZeroCopy,
  // Use it as the buffer, and write results there once it is donated.
  PJRT_HostBufferSemantics_kMutableZeroCopy
} PJRT_HostBufferSemantics;

typedef enum {
  PJRT_Buffer_MemoryLayout_Type_Tiled = 0,
  PJRT_Buffer_MemoryLayout_Type_Strides
} PJRT_Buffer_MemoryLayout_Type;

typedef struct PJRT_Buffer_MemoryLayout_Tiled {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  const int64_t *minor_to_major;
  size_t minor_to_major_size;
  const int64_t *tile_dims;
  const size_t *tile_dim_sizes;
  size_t num_tiles;
} PJRT_Buffer_MemoryLayout_Tiled;

typedef struct PJRT_Buffer_MemoryLayout_Strides {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  const int64_t *byte_strides;
  size_t num_byte_strides;
} PJRT_Buffer_MemoryLayout_Strides;

typedef struct PJRT_Buffer_MemoryLayout {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  union {
    PJRT_Buffer_MemoryLayout_Tiled tiled;
    PJRT_Buffer_MemoryLayout_Strides strides;
  };
  PJRT_Buffer_MemoryLayout_Type type;
} PJRT_Buffer_MemoryLayout;

// Null strides and layout mean dense and row-major. The caller owns event and buffer.
typedef struct PJRT_Client_BufferFromHostBuffer_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Client *client;
  const void *data;
  PJRT_Buffer_Type type;
  const int64_t *dims;
  size_t num_dims;
  const int64_t *byte_strides;
  size_t num_byte_strides;
  PJRT_HostBufferSemantics host_buffer_semantics;
  PJRT_Device *device;
  PJRT_Memory *memory;
  PJRT_Buffer_MemoryLayout *device_layout;
  PJRT_Event *done_with_host_buffer;  // out
  PJRT_Buffer *buffer;                // out
} PJRT_Client_BufferFromHostBuffer_Args;

typedef struct PJRT_Buffer_Destroy_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Buffer *buffer;
} PJRT_Buffer_Destroy_Args;

typedef struct PJRT_Buffer_ElementType_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Buffer *buffer;
  PJRT_Buffer_Type type;  // out
} PJRT_Buffer_ElementType_Args;

// The lengths live as long as the buffer.
typedef struct PJRT_Buffer_Dimensions_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Buffer *buffer;
  const int64_t *dims;  // out
  size_t num_dims;      // out
} PJRT_Buffer_Dimensions_Args;

typedef struct PJRT_Buffer_IsDeleted_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Buffer *buffer;
  bool is_deleted;  // out
} PJRT_Buffer_IsDeleted_Args;

typedef struct PJRT_Buffer_CopyToDevice_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Buffer *buffer;
  PJRT_Device *dst_device;
  PJRT_Buffer *dst_buffer;  // out
} PJRT_Buffer_CopyToDevice_Args;

// Copies into `dst`, which must live until the event. A null layout is that of the device, so say which one is wanted.
typedef struct PJRT_Buffer_ToHostBuffer_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Buffer *src;
  PJRT_Buffer_MemoryLayout *host_layout;
  void *dst;
  size_t dst_size;
  PJRT_Event *event;  // out
} PJRT_Buffer_ToHostBuffer_Args;

// Ready when the elements are there, or the work that makes them has failed.
typedef struct PJRT_Buffer_ReadyEvent_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Buffer *buffer;
  PJRT_Event *event;  // out
} PJRT_Buffer_ReadyEvent_Args;

// MARK: - Compiled programs

typedef struct PJRT_Executable_Destroy_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Executable *executable;
} PJRT_Executable_Destroy_Args;

typedef struct PJRT_Executable_NumOutputs_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Executable *executable;
  size_t num_outputs;  // out
} PJRT_Executable_NumOutputs_Args;

// The compiler's estimates, such as "flops" and "bytes accessed". They live as long as the executable.
typedef struct PJRT_Executable_GetCostAnalysis_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Executable *executable;
  size_t num_properties;              // out
  const PJRT_NamedValue *properties;  // out
} PJRT_Executable_GetCostAnalysis_Args;

// The program after the compiler's passes. `program` is the caller's: without `code` its size and format are told, with it it is filled.
typedef struct PJRT_Executable_OptimizedProgram_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Executable *executable;
  PJRT_Program *program;  // out, but read as well
} PJRT_Executable_OptimizedProgram_Args;

typedef struct PJRT_Executable_GetCompiledMemoryStats_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Executable *executable;
  int64_t generated_code_size_in_bytes;       // out
  int64_t argument_size_in_bytes;             // out
  int64_t output_size_in_bytes;               // out
  int64_t alias_size_in_bytes;                // out: results that lie in arguments' memory
  int64_t temp_size_in_bytes;                 // out
  int64_t host_generated_code_size_in_bytes;  // out
  int64_t host_argument_size_in_bytes;        // out
  int64_t host_output_size_in_bytes;          // out
  int64_t host_alias_size_in_bytes;           // out
  int64_t host_temp_size_in_bytes;            // out
  int64_t peak_memory_in_bytes;               // out
  int64_t total_size_in_bytes;                // out
} PJRT_Executable_GetCompiledMemoryStats_Args;

// The bytes belong to `serialized_executable`, which the deleter frees.
typedef struct PJRT_Executable_Serialize_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  const PJRT_Executable *executable;
  const char *serialized_bytes;                                                // out
  size_t serialized_bytes_size;                                                // out
  PJRT_SerializedExecutable *serialized_executable;                            // out
  void (*serialized_executable_deleter)(PJRT_SerializedExecutable *exec);      // out
} PJRT_Executable_Serialize_Args;

typedef struct PJRT_Executable_DeserializeAndLoad_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Client *client;
  const char *serialized_executable;
  size_t serialized_executable_size;
  PJRT_LoadedExecutable *loaded_executable;  // out
  const char *overridden_serialized_compile_options;
  size_t overridden_serialized_compile_options_size;
} PJRT_Executable_DeserializeAndLoad_Args;

typedef struct PJRT_LoadedExecutable_Destroy_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_LoadedExecutable *executable;
} PJRT_LoadedExecutable_Destroy_Args;

typedef struct PJRT_LoadedExecutable_GetExecutable_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_LoadedExecutable *loaded_executable;
  PJRT_Executable *executable;  // out
} PJRT_LoadedExecutable_GetExecutable_Args;

// In the order in which `PJRT_LoadedExecutable_Execute` takes arguments and gives results.
typedef struct PJRT_LoadedExecutable_AddressableDevices_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_LoadedExecutable *executable;
  PJRT_Device *const *addressable_devices;  // out
  size_t num_addressable_devices;           // out
} PJRT_LoadedExecutable_AddressableDevices_Args;

// Arguments that the program may take over, unless they are listed as not donatable.
typedef struct PJRT_ExecuteOptions {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_SendCallbackInfo **send_callbacks;
  PJRT_RecvCallbackInfo **recv_callbacks;
  size_t num_send_ops;
  size_t num_recv_ops;
  int launch_id;
  const int64_t *non_donatable_input_indices;
  size_t num_non_donatable_input_indices;
  PJRT_ExecuteContext *context;
  const char *call_location;
  size_t num_tasks;
  int *task_ids;
  int64_t *incarnation_ids;
} PJRT_ExecuteOptions;

// Starts the program on `num_devices` devices and returns: results are buffers that are not ready yet. Lists of arguments and results
// are `[num_devices][…]` and allocated by the caller. `execute_device` is null for the devices the program was compiled for.
typedef struct PJRT_LoadedExecutable_Execute_Args {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_LoadedExecutable *executable;
  PJRT_ExecuteOptions *options;
  PJRT_Buffer *const *const *argument_lists;
  size_t num_devices;
  size_t num_args;
  PJRT_Buffer **const *output_lists;    // out
  PJRT_Event **device_complete_events;  // out, one for each device; null when they are not wanted
  PJRT_Device *execute_device;
} PJRT_LoadedExecutable_Execute_Args;

// MARK: - The table

// A function that is not called here.
typedef void (*PJRT_Unused)(void);

// Plugins of the same major version understand each other; a minor version adds to the end of the table or of structs.
typedef struct PJRT_Api_Version {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  int major_version;
  int minor_version;
} PJRT_Api_Version;

enum { FLUXION_PJRT_MAJOR = 0, FLUXION_PJRT_MINOR = 90 };

typedef struct PJRT_Api {
  size_t struct_size;
  PJRT_Extension_Base *extension_start;
  PJRT_Api_Version pjrt_api_version;
  void (*PJRT_Error_Destroy)(PJRT_Error_Destroy_Args *);
  void (*PJRT_Error_Message)(PJRT_Error_Message_Args *);
  PJRT_Error *(*PJRT_Error_GetCode)(PJRT_Error_GetCode_Args *);
  PJRT_Error *(*PJRT_Plugin_Initialize)(PJRT_Plugin_Initialize_Args *);
  PJRT_Error *(*PJRT_Plugin_Attributes)(PJRT_Plugin_Attributes_Args *);
  PJRT_Error *(*PJRT_Event_Destroy)(PJRT_Event_Destroy_Args *);
  PJRT_Error *(*PJRT_Event_IsReady)(PJRT_Event_IsReady_Args *);
  PJRT_Unused PJRT_Event_Error;
  PJRT_Error *(*PJRT_Event_Await)(PJRT_Event_Await_Args *);
  PJRT_Error *(*PJRT_Event_OnReady)(PJRT_Event_OnReady_Args *);
  PJRT_Error *(*PJRT_Client_Create)(PJRT_Client_Create_Args *);
  PJRT_Error *(*PJRT_Client_Destroy)(PJRT_Client_Destroy_Args *);
  PJRT_Error *(*PJRT_Client_PlatformName)(PJRT_Client_PlatformName_Args *);
  PJRT_Unused PJRT_Client_ProcessIndex;
  PJRT_Error *(*PJRT_Client_PlatformVersion)(PJRT_Client_PlatformVersion_Args *);
  PJRT_Error *(*PJRT_Client_Devices)(PJRT_Client_Devices_Args *);
  PJRT_Error *(*PJRT_Client_AddressableDevices)(PJRT_Client_AddressableDevices_Args *);
  PJRT_Unused PJRT_Client_LookupDevice;
  PJRT_Unused PJRT_Client_LookupAddressableDevice;
  PJRT_Unused PJRT_Client_AddressableMemories;
  PJRT_Error *(*PJRT_Client_Compile)(PJRT_Client_Compile_Args *);
  PJRT_Unused PJRT_Client_DefaultDeviceAssignment;
  PJRT_Error *(*PJRT_Client_BufferFromHostBuffer)(PJRT_Client_BufferFromHostBuffer_Args *);
  PJRT_Error *(*PJRT_DeviceDescription_Id)(PJRT_DeviceDescription_Id_Args *);
  PJRT_Error *(*PJRT_DeviceDescription_ProcessIndex)(PJRT_DeviceDescription_ProcessIndex_Args *);
  PJRT_Unused PJRT_DeviceDescription_Attributes;
  PJRT_Error *(*PJRT_DeviceDescription_Kind)(PJRT_DeviceDescription_Kind_Args *);
  PJRT_Unused PJRT_DeviceDescription_DebugString;
  PJRT_Unused PJRT_DeviceDescription_ToString;
  PJRT_Error *(*PJRT_Device_GetDescription)(PJRT_Device_GetDescription_Args *);
  PJRT_Unused PJRT_Device_IsAddressable;
  PJRT_Unused PJRT_Device_LocalHardwareId;
  PJRT_Unused PJRT_Device_AddressableMemories;
  PJRT_Unused PJRT_Device_DefaultMemory;
  PJRT_Error *(*PJRT_Device_MemoryStats)(PJRT_Device_MemoryStats_Args *);
  PJRT_Unused PJRT_Memory_Id;
  PJRT_Unused PJRT_Memory_Kind;
  PJRT_Unused PJRT_Memory_DebugString;
  PJRT_Unused PJRT_Memory_ToString;
  PJRT_Unused PJRT_Memory_AddressableByDevices;
  PJRT_Error *(*PJRT_Executable_Destroy)(PJRT_Executable_Destroy_Args *);
  PJRT_Unused PJRT_Executable_Name;
  PJRT_Unused PJRT_Executable_NumReplicas;
  PJRT_Unused PJRT_Executable_NumPartitions;
  PJRT_Error *(*PJRT_Executable_NumOutputs)(PJRT_Executable_NumOutputs_Args *);
  PJRT_Unused PJRT_Executable_SizeOfGeneratedCodeInBytes;
  PJRT_Error *(*PJRT_Executable_GetCostAnalysis)(PJRT_Executable_GetCostAnalysis_Args *);
  PJRT_Unused PJRT_Executable_OutputMemoryKinds;
  PJRT_Error *(*PJRT_Executable_OptimizedProgram)(PJRT_Executable_OptimizedProgram_Args *);
  PJRT_Error *(*PJRT_Executable_Serialize)(PJRT_Executable_Serialize_Args *);
  PJRT_Error *(*PJRT_LoadedExecutable_Destroy)(PJRT_LoadedExecutable_Destroy_Args *);
  PJRT_Error *(*PJRT_LoadedExecutable_GetExecutable)(PJRT_LoadedExecutable_GetExecutable_Args *);
  PJRT_Error *(*PJRT_LoadedExecutable_AddressableDevices)(PJRT_LoadedExecutable_AddressableDevices_Args *);
  PJRT_Unused PJRT_LoadedExecutable_Delete;
  PJRT_Unused PJRT_LoadedExecutable_IsDeleted;
  PJRT_Error *(*PJRT_LoadedExecutable_Execute)(PJRT_LoadedExecutable_Execute_Args *);
  PJRT_Error *(*PJRT_Executable_DeserializeAndLoad)(PJRT_Executable_DeserializeAndLoad_Args *);
  PJRT_Unused PJRT_LoadedExecutable_Fingerprint;
  PJRT_Error *(*PJRT_Buffer_Destroy)(PJRT_Buffer_Destroy_Args *);
  PJRT_Error *(*PJRT_Buffer_ElementType)(PJRT_Buffer_ElementType_Args *);
  PJRT_Error *(*PJRT_Buffer_Dimensions)(PJRT_Buffer_Dimensions_Args *);
  PJRT_Unused PJRT_Buffer_UnpaddedDimensions;
  PJRT_Unused PJRT_Buffer_DynamicDimensionIndices;
  PJRT_Unused PJRT_Buffer_GetMemoryLayout;
  PJRT_Unused PJRT_Buffer_OnDeviceSizeInBytes;
  PJRT_Unused PJRT_Buffer_Device;
  PJRT_Unused PJRT_Buffer_Memory;
  PJRT_Unused PJRT_Buffer_Delete;
  PJRT_Error *(*PJRT_Buffer_IsDeleted)(PJRT_Buffer_IsDeleted_Args *);
  PJRT_Error *(*PJRT_Buffer_CopyToDevice)(PJRT_Buffer_CopyToDevice_Args *);
  PJRT_Error *(*PJRT_Buffer_ToHostBuffer)(PJRT_Buffer_ToHostBuffer_Args *);
  PJRT_Unused PJRT_Buffer_IsOnCpu;
  PJRT_Error *(*PJRT_Buffer_ReadyEvent)(PJRT_Buffer_ReadyEvent_Args *);
  PJRT_Unused PJRT_Buffer_UnsafePointer;
  PJRT_Unused PJRT_Buffer_IncreaseExternalReferenceCount;
  PJRT_Unused PJRT_Buffer_DecreaseExternalReferenceCount;
  PJRT_Unused PJRT_Buffer_OpaqueDeviceMemoryDataPointer;
  PJRT_Unused PJRT_CopyToDeviceStream_Destroy;
  PJRT_Unused PJRT_CopyToDeviceStream_AddChunk;
  PJRT_Unused PJRT_CopyToDeviceStream_TotalBytes;
  PJRT_Unused PJRT_CopyToDeviceStream_GranuleSize;
  PJRT_Unused PJRT_CopyToDeviceStream_CurrentBytes;
  PJRT_Unused PJRT_TopologyDescription_Create;
  PJRT_Unused PJRT_TopologyDescription_Destroy;
  PJRT_Unused PJRT_TopologyDescription_PlatformName;
  PJRT_Unused PJRT_TopologyDescription_PlatformVersion;
  PJRT_Unused PJRT_TopologyDescription_GetDeviceDescriptions;
  PJRT_Unused PJRT_TopologyDescription_Serialize;
  PJRT_Unused PJRT_TopologyDescription_Attributes;
  PJRT_Unused PJRT_Compile;
  PJRT_Unused PJRT_Executable_OutputElementTypes;
  PJRT_Unused PJRT_Executable_OutputDimensions;
  PJRT_Unused PJRT_Buffer_CopyToMemory;
  PJRT_Unused PJRT_Client_CreateViewOfDeviceBuffer;
  PJRT_Unused PJRT_Executable_Fingerprint;
  PJRT_Unused PJRT_Client_TopologyDescription;
  PJRT_Error *(*PJRT_Executable_GetCompiledMemoryStats)(PJRT_Executable_GetCompiledMemoryStats_Args *);
  PJRT_Unused PJRT_Memory_Kind_Id;
  PJRT_Unused PJRT_ExecuteContext_Create;
  PJRT_Unused PJRT_ExecuteContext_Destroy;
  PJRT_Unused PJRT_Buffer_CopyRawToHost;
  PJRT_Unused PJRT_AsyncHostToDeviceTransferManager_Destroy;
  PJRT_Unused PJRT_AsyncHostToDeviceTransferManager_TransferData;
  PJRT_Unused PJRT_Client_CreateBuffersForAsyncHostToDevice;
  PJRT_Unused PJRT_AsyncHostToDeviceTransferManager_RetrieveBuffer;
  PJRT_Unused PJRT_AsyncHostToDeviceTransferManager_Device;
  PJRT_Unused PJRT_AsyncHostToDeviceTransferManager_BufferCount;
  PJRT_Unused PJRT_AsyncHostToDeviceTransferManager_BufferSize;
  PJRT_Unused PJRT_AsyncHostToDeviceTransferManager_SetBufferError;
  PJRT_Unused PJRT_AsyncHostToDeviceTransferManager_AddMetadata;
  PJRT_Unused PJRT_Client_DmaMap;
  PJRT_Unused PJRT_Client_DmaUnmap;
  PJRT_Unused PJRT_Client_CreateUninitializedBuffer;
  PJRT_Unused PJRT_Client_UpdateGlobalProcessInfo;
  PJRT_Unused PJRT_TopologyDescription_Deserialize;
  PJRT_Unused PJRT_Client_CreateAliasBuffer;
  PJRT_Unused PJRT_Client_FulfillAliasBuffer;
  PJRT_Unused PJRT_LoadedExecutable_GetDeviceAssignment;
  PJRT_Unused PJRT_Client_CreateErrorBuffer;
  PJRT_Unused PJRT_AsyncHostToDeviceTransferManager_TransferLiteral;
  PJRT_Unused PJRT_Buffer_CopyRawToHostFuture;
  PJRT_Unused PJRT_Device_PoisonExecution;
  PJRT_Unused PJRT_Device_CreateAsyncTrackingEvent;
  PJRT_Unused PJRT_AsyncTrackingEvent_Destroy;
  PJRT_Unused PJRT_Executable_GetCompileOptions;
  PJRT_Unused PJRT_Buffer_DonateWithControlDependency;
  PJRT_Unused PJRT_Event_Create;
  PJRT_Unused PJRT_Event_Set;
} PJRT_Api;

// The entry point of a plugin, by the name `GetPjrtApi`. The table lives as long as the library.
typedef const PJRT_Api *(*PJRT_GetApi)(void);

#ifdef __cplusplus
}
#endif
#endif
