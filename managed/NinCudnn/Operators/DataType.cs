using NinCudnn.Interop;

namespace NinCudnn.Operators;

/// <summary>Element type of activations, and of the parameters that operators read.</summary>
public enum DataType
{
    /// <summary>IEEE 754 single precision.</summary>
    Float32,

    /// <summary>bfloat16: single precision's exponent, 8 bits of precision.</summary>
    BFloat16,

    /// <summary>IEEE 754 half precision.</summary>
    Float16,
}

internal static class DataTypes
{
    public static int Bytes(this DataType type) => type == DataType.Float32 ? 4 : 2;

    public static cudnnDataType_t ToCudnn(this DataType type) => type switch
    {
        DataType.Float32 => cudnnDataType_t.CUDNN_DATA_FLOAT,
        DataType.BFloat16 => cudnnDataType_t.CUDNN_DATA_BFLOAT16,
        _ => cudnnDataType_t.CUDNN_DATA_HALF,
    };

    public static cudaDataType_t ToCuda(this DataType type) => type switch
    {
        DataType.Float32 => cudaDataType_t.CUDA_R_32F,
        DataType.BFloat16 => cudaDataType_t.CUDA_R_16BF,
        _ => cudaDataType_t.CUDA_R_16F,
    };

    /// <summary>The type's suffix in kernel entry names.</summary>
    public static string Suffix(this DataType type) => type switch
    {
        DataType.Float32 => "f32",
        DataType.BFloat16 => "bf16",
        _ => "f16",
    };
}
