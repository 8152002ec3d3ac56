using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NinCudnn.Interop.Tests;

/// <summary>Compares a declaration with the header's facts; each difference is one line of text.</summary>
internal static class AbiComparer
{
    private const BindingFlags AnyStatic = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    private static readonly Dictionary<string, Type> _scalars = new()
    {
        ["void"] = typeof(void),
        ["char"] = typeof(byte),
        ["unsigned char"] = typeof(byte),
        ["int"] = typeof(int),
        ["unsigned int"] = typeof(uint),
        ["int64_t"] = typeof(long),
        ["uint64_t"] = typeof(ulong),
        ["unsigned long long"] = typeof(ulong),
        ["size_t"] = typeof(nuint),
        ["float"] = typeof(float),
        ["double"] = typeof(double),
        // The runtime API's stream is the driver's, and cudaDataType is a typedef.
        ["cudaStream_t"] = typeof(CUstream),
        ["cudaDataType"] = typeof(cudaDataType_t),
    };

    /// <summary>Name, parameters and return type against the prototype: sizes and kinds, the C types, and the parameters' names.</summary>
    public static IEnumerable<string> Function(MethodInfo declaration, AbiFunction fact)
    {
        foreach (string difference in Type(declaration.ReturnType, fact.Returns, "return value"))
            yield return difference;
        var parameters = declaration.GetParameters();
        if (parameters.Length != fact.Parameters.Count)
        {
            yield return $"{parameters.Length} parameters, the header has {fact.Parameters.Count}";
            yield break;
        }
        foreach (var (parameter, expected) in parameters.Zip(fact.Parameters))
        {
            string what = $"parameter {expected.Name}";
            if (parameter.Name != expected.Name)
                yield return $"{what} is called {parameter.Name}";
            if (Size(parameter.ParameterType) != expected.Size)
                yield return $"{what} has {Size(parameter.ParameterType)} bytes, the header {expected.Size}";
            if (Kind(parameter.ParameterType) != expected.Kind)
                yield return $"{what} is of kind {Kind(parameter.ParameterType)}, in the header {expected.Kind}";
            foreach (string difference in Type(parameter.ParameterType, expected.CType, what))
                yield return difference;
        }
    }

    /// <summary>
    /// The import behind a declaration. [LibraryImport] itself leaves nothing in the metadata; what it generates is either an
    /// import of the same method or, where it has to pin an out parameter, a local function that is one.
    /// </summary>
    public static IEnumerable<string> Import(MethodInfo declaration, string library)
    {
        var import = declaration.DeclaringType!.GetMethods(AnyStatic)
            .Where(method => method == declaration || method.Name.StartsWith($"<{declaration.Name}>g__", StringComparison.Ordinal))
            .SingleOrDefault(method => method.Attributes.HasFlag(MethodAttributes.PinvokeImpl));
        if (import?.GetCustomAttribute<DllImportAttribute>() is not { } attribute)
        {
            yield return "is no native import";
            yield break;
        }
        if (attribute.Value != library)
            yield return $"comes from \"{attribute.Value}\" instead of \"{library}\"";
        if (attribute.EntryPoint != declaration.Name)
            yield return $"binds the symbol {attribute.EntryPoint}";
        // Blittable all the way: the imported signature is the declared one with pointers for references.
        if (Size(import.ReturnType) != Size(declaration.ReturnType))
            yield return "the import returns another size";
        var declared = declaration.GetParameters().Select(parameter => Pointer(parameter.ParameterType));
        if (!import.GetParameters().Select(parameter => parameter.ParameterType).SequenceEqual(declared))
            yield return "the import has other parameters than the declaration";
    }

    /// <summary>The values of the declared enumerators; an enumeration may leave some out but adds none.</summary>
    public static IEnumerable<string> Enumeration(Type declaration, IReadOnlyDictionary<string, long> fact)
    {
        if (Size(declaration) != 4)
            yield return $"has {Size(declaration)} bytes, a C enum 4";
        foreach (var field in declaration.GetFields(BindingFlags.Static | BindingFlags.Public))
        {
            foreach (string difference in Constant(field, fact))
                yield return difference;
        }
    }

    public static IEnumerable<string> Constant(FieldInfo declaration, IReadOnlyDictionary<string, long> fact)
    {
        long value = Convert.ToInt64(declaration.GetRawConstantValue(), null);
        if (!fact.TryGetValue(declaration.Name, out long expected))
            yield return $"{declaration.Name} is not in the header";
        else if (value != expected)
            yield return $"{declaration.Name} is {value}, in the header {expected}";
    }

    /// <summary>Size, alignment, and each field's name, offset and size.</summary>
    public static IEnumerable<string> Struct(Type declaration, AbiStruct fact)
    {
        if (Size(declaration) != fact.Size)
            yield return $"has {Size(declaration)} bytes, in the header {fact.Size}";
        if (Alignment(declaration) != fact.Alignment)
            yield return $"is aligned to {Alignment(declaration)}, in the header {fact.Alignment}";
        var fields = declaration.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);
        if (!fields.Select(field => field.Name).SequenceEqual(fact.Fields.Select(field => field.Name)))
        {
            yield return $"has the fields {string.Join(", ", fields.Select(field => field.Name))}";
            yield break;
        }
        foreach (var (field, expected) in fields.Zip(fact.Fields))
        {
            int offset = (int)Marshal.OffsetOf(declaration, field.Name);
            if (offset != expected.Offset)
                yield return $"{field.Name} is at offset {offset}, in the header {expected.Offset}";
            if (Size(field.FieldType) != expected.Size)
                yield return $"{field.Name} has {Size(field.FieldType)} bytes, in the header {expected.Size}";
        }
    }

    /// <summary>The size that a type has in memory, which for blittable types is its size in a call.</summary>
    public static int Size(Type type) =>
        type == typeof(void) ? 0 :
        type.IsByRef || type.IsPointer ? nint.Size :
        (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(type).Invoke(null, null)!;

    private static int Alignment(Type type) => Size(typeof(AfterOneByte<>).MakeGenericType(type)) - Size(type);

    private static string Kind(Type type)
    {
        if (type.IsByRef || type.IsPointer)
            return "pointer";
        if (type.IsEnum)
            return "enum";
        if (type == typeof(float) || type == typeof(double))
            return "float";
        if (type == typeof(nuint))
            return "size_t";
        if (type.IsPrimitive)
            return "int";
        // A handle struct is what its one field is.
        var field = type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic).Single();
        return field.FieldType == typeof(nint) ? "handle" : Kind(field.FieldType);
    }

    private static IEnumerable<string> Type(Type type, string cType, string what)
    {
        var expected = ClrType(cType);
        if (Pointer(type) != expected)
            yield return $"{what} is {type.Name}, for the header's \"{cType}\" it should be {expected?.Name ?? "a declared type"}";
    }

    /// <summary>The C# type for a C type: pointers level by level, enumerations and handles by their name.</summary>
    private static Type? ClrType(string cType)
    {
        string name = cType.Replace("const ", "", StringComparison.Ordinal).Trim();
        return name.EndsWith('*')
            ? ClrType(name[..^1])?.MakePointerType()
            : _scalars.GetValueOrDefault(name) ?? typeof(CUresult).Assembly.GetType($"NinCudnn.Interop.{name}");
    }

    private static Type Pointer(Type type) => type.IsByRef ? type.GetElementType()!.MakePointerType() : type;

#pragma warning disable CS0649 // Nothing is stored in it: its size less that of T is T's alignment.
    private struct AfterOneByte<T>
        where T : unmanaged
    {
        public byte First;
        public T Second;
    }
#pragma warning restore CS0649
}
